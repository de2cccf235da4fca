"""torchrun, without its report on workers that failed: they have said why themselves.

Started as ``python -m simplicert.machine.launcher``, with torchrun's own arguments.
"""

import logging
import sys

from simplicert.machine.lifeline import end_with_parent
from simplicert.machine.refusal import has_refused


def launch() -> None:
    """Run the workers, and exit as the first that failed, or by the signal's number."""
    end_with_parent()
    # Seconds, in which it can be stopped already.
    from torch.distributed.elastic.multiprocessing import (  # noqa: PLC0415
        SignalException,
        api,
    )
    from torch.distributed.elastic.multiprocessing.errors import (  # noqa: PLC0415
        ChildFailedError,
    )
    from torch.distributed.run import main  # noqa: PLC0415

    logging.getLogger(api.__name__).addFilter(lambda _: not has_refused())
    try:
        main()
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        sys.exit(max(1, failure.exitcode))  # negative for signals
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)


if __name__ == "__main__":
    launch()

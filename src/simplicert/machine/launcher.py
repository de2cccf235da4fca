"""torchrun, without its report on workers that failed: they have said why themselves.

Started as ``python -m simplicert.machine.launcher``, with torchrun's own arguments.
"""

import logging
import sys

from torch.distributed.elastic.multiprocessing import api
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main

from simplicert.machine.refusal import has_refused

if __name__ == "__main__":
    logging.getLogger(api.__name__).addFilter(lambda _: not has_refused())
    try:
        main()
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        sys.exit(max(1, failure.exitcode))  # negative for signals

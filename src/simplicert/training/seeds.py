"""Seeds that belong to a piece of the work, so that nothing depends on who does it."""

import numpy as np


def piece_seed(run_seed: int, *piece: int) -> int:
    """Seed of one numbered piece of a run, such as (epoch, step, share).

    Example:
        >>> piece_seed(0, 3) != piece_seed(0, 4) != piece_seed(1, 4)
        True
    """
    sequence = np.random.SeedSequence(run_seed, spawn_key=piece)
    return int(sequence.generate_state(1, np.uint64)[0])

"""A seed belongs to the work, not to the worker."""

import numpy as np


def block_seed(run_seed: int, image: int, block: int) -> int:
    """Seed for one block of noise, the same whichever worker draws it.

    Example:
        >>> block_seed(0, 0, 0) != block_seed(0, 1, 0) != block_seed(0, 0, 1)
        True
    """
    sequence = np.random.SeedSequence(run_seed, spawn_key=(image, block))
    return int(sequence.generate_state(1, np.uint64)[0])

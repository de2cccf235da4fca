"""A seed belongs to the work, not to the worker."""

import numpy as np


def chunk_seeds(run_seed: int, image: int, block: int, *, chunks: int) -> list[int]:
    """Seeds for the noise of one block, the same whichever worker draws it.

    All chunks of an image get different seeds. Random ones would not: torch's CPU
    generator looks at the low 32 bits alone, so by the birthday paradox one image in a
    hundred would get the same noise twice within a million draws, and a certificate
    counts on independent draws.

    Args:
        run_seed: The run's seed.
        image: Index of the image in its dataset.
        block: Number of the block within the image.
        chunks: Chunks a block.

    Example:
        >>> seeds = chunk_seeds(0, 7, 0, chunks=2) + chunk_seeds(0, 7, 1, chunks=2)
        >>> [(seed - seeds[0]) % 2**32 for seed in seeds]
        [0, 1, 2, 3]
    """
    sequence = np.random.SeedSequence(run_seed, spawn_key=(image,))
    first = int(sequence.generate_state(1)[0]) + block * chunks
    return [(first + chunk) % 2**32 for chunk in range(chunks)]

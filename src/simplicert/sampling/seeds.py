"""A seed belongs to the work, not to the worker."""

import numpy as np


def chunk_seeds(
    run_seed: int, image: int, block: int, *, blocks: int, chunks: int
) -> list[int]:
    """Seeds for the noise of one block, the same whichever worker draws it.

    The chunks of a run are numbered, image after image, from a start that the run's
    seed decides, so no two have the same seed while there are at most 2**32 of them;
    those of one image never do. Seeds drawn at random would not do: torch's CPU
    generator looks at the low 32 bits alone, so by the birthday paradox one image in a
    hundred would get the same noise twice within a million draws, and a certificate
    counts on independent draws.

    Args:
        run_seed: The run's seed.
        image: Index of the image in its dataset.
        block: Number of the block within the image.
        blocks: Blocks an image.
        chunks: Chunks a block.

    Example:
        >>> seeds = [
        ...     chunk_seeds(0, image, block, blocks=2, chunks=2)
        ...     for image in (7, 8) for block in (0, 1)
        ... ]
        >>> (np.concatenate(seeds) - seeds[0][0]) % 2**32
        array([0, 1, 2, 3, 4, 5, 6, 7])
    """
    start = int(np.random.SeedSequence(run_seed).generate_state(1)[0])
    first = start + (image * blocks + block) * chunks
    return [(first + chunk) % 2**32 for chunk in range(chunks)]

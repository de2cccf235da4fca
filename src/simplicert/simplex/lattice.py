"""Points that cover a triangle evenly, in barycentric coordinates."""

import numpy as np
from jaxtyping import Float64, Int


def inner_lattice(resolution: int) -> Float64[np.ndarray, "points 3"]:
    """``resolution`` rows of points, the outermost half a step inside each side.

    ``resolution * (resolution + 1) / 2`` points, all strictly inside. Each stands for
    the same area: half a step makes the share of points in a part of the triangle an
    unbiased estimate of its area, also for a thin part along a side.

    Example:
        >>> inner_lattice(1).round(3)
        array([[0.333, 0.333, 0.333]])
    """
    return (_index_triples(resolution - 1) + 0.5) / (resolution + 0.5)


def full_lattice(resolution: int) -> Float64[np.ndarray, "points 3"]:
    """A lattice of ``resolution`` steps a side, its sides and corners included.

    Example:
        >>> full_lattice(1)
        array([[0., 0., 1.],
               [0., 1., 0.],
               [1., 0., 0.]])
    """
    return _index_triples(resolution) / resolution


def lattice_triangles(resolution: int) -> Int[np.ndarray, "triangles 3"]:
    """The triangles between neighbouring points of ``inner_lattice``, by their indices.

    Example:
        >>> lattice_triangles(2)
        array([[0, 2, 1]])
    """
    i, j, _ = _index_triples(resolution - 1).astype(np.int64).T
    # Row i holds resolution - i points, so its first one has this index.
    here = np.arange(len(i))
    above = here + (resolution - i)
    up = i + j < resolution - 1
    down = up & (j > 0)
    return np.concatenate(
        [
            np.stack([here[up], above[up], here[up] + 1], axis=-1),
            np.stack([here[down], above[down] - 1, above[down]], axis=-1),
        ]
    )


def _index_triples(side: int) -> Float64[np.ndarray, "points 3"]:
    """All (i, j, k) of whole numbers with i + j + k = ``side``, i outermost."""
    i, j = np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij")
    inside = i + j <= side
    i, j = i[inside], j[inside]
    return np.stack([i, j, side - i - j], axis=-1).astype(np.float64)

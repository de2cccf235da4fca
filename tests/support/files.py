"""Small files of data, as others write them."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def encoded(mode="RGB", size=(8, 8), form="PNG", **options):
    """The bytes of an image of one colour."""
    file = io.BytesIO()
    Image.new(mode, size).save(file, form, **options)
    return file.getvalue()


def put(path, content=None):
    """A file, and the folders above it; an image, if nothing else is said."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded() if content is None else content)
    return path


def put_table(path, **columns):
    """A Parquet file, of two labelled images if nothing else is said."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = columns or {"image": [encoded()] * 2, "label": [0, 1]}
    pq.write_table(pa.table(columns), path)
    return path


def idx(array):
    """The bytes of an idx file."""
    array = np.asarray(array)
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()

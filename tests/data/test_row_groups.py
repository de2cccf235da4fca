"""What it costs to read a table of images in order, and shuffled."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simplicert.data import row_groups
from simplicert.data.row_groups import RowGroups

IMAGES = 8000


@pytest.fixture
def reads(tmp_path, monkeypatch):
    """Reads rows, and says how many row groups that took; a cache of 3 % of all."""
    values = [row.to_bytes(10) for row in range(IMAGES)]
    file = tmp_path / "train.parquet"
    pq.write_table(pa.table({"img": values}), file, row_group_size=100)
    monkeypatch.setattr(row_groups, "_CACHE_BYTES", IMAGES * 14 * 3 // 100)
    read, opened = pq.ParquetFile.read_row_group, []

    def counted(self, group, **rest):
        opened.append(group)
        return read(self, group, **rest)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    fetch = RowGroups([file], "img")

    def count(rows):
        assert [fetch(int(row)) for row in rows] == [values[row] for row in rows]
        return len(opened)

    return count


def test_in_order_each_row_group_is_read_once(reads):
    assert reads(range(200)) == 2


def test_shuffled_nearly_every_image_needs_a_row_group(reads):
    # docs/data.md quotes this figure.
    assert reads(np.random.default_rng(0).permutation(IMAGES)[:200]) == 197

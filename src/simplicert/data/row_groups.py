"""Random access to one column of Parquet files."""

from bisect import bisect_right
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from simplicert.data.encoded import CorruptImageError

_CACHE_BYTES = 512 << 20


class RowGroups:
    """Fetches values by row; keeps the row groups used last, up to half a gigabyte.

    A Parquet file can only be read a row group at a time. All of CIFAR-10 fits into the
    cache, still encoded; of ImageNet, neighbouring rows are cheap and distant ones not.

    Args:
        files: The files, whose rows are numbered through.
        column: Path of a binary column.
    """

    def __init__(self, files: list[Path], column: str) -> None:
        self._column = column
        self._groups: list[tuple[Path, int]] = []
        self._starts: list[int] = []
        self.rows = 0
        for file in files:
            metadata = pq.read_metadata(file)
            for group in range(metadata.num_row_groups):
                self._groups.append((file, group))
                self._starts.append(self.rows)
                self.rows += metadata.row_group(group).num_rows
        self._cache: OrderedDict[int, Any] = OrderedDict()

    def __call__(self, row: int) -> bytes:
        """The value of a row.

        Raises:
            CorruptImageError: It has none; says what it has instead.
        """
        index = bisect_right(self._starts, row) - 1
        value = self._group(index)[row - self._starts[index]].as_py()
        if value is None:
            raise CorruptImageError(f"{self.locate(row)} has {self._instead(row)}")
        return bytes(value)

    def locate(self, row: int) -> str:
        """Where a row is, for messages."""
        file, _ = self._groups[bisect_right(self._starts, row) - 1]
        first = min(
            start
            for start, (other, _) in zip(self._starts, self._groups, strict=True)
            if other == file
        )
        return f"{file}: row {row - first}"

    def _instead(self, row: int) -> str:
        """What is there where there are no bytes."""
        index = bisect_right(self._starts, row) - 1
        file, group = self._groups[index]
        column = self._column.split(".")[0]
        table = pq.ParquetFile(file).read_row_group(group, columns=[column])
        stored = table.column(0)[row - self._starts[index]].as_py()
        path = stored.get("path") if isinstance(stored, dict) else None
        if path is None:
            return "no bytes: it is empty"
        return f"a path, no bytes ({path!r}): store the images themselves in the file"

    def __getstate__(self) -> dict[str, Any]:
        """Without the cache: every worker process fills its own."""
        return self.__dict__ | {"_cache": OrderedDict()}

    def _group(self, index: int) -> Any:
        if index not in self._cache:
            file, group = self._groups[index]
            table = pq.ParquetFile(file).read_row_group(group, columns=[self._column])
            values = table.column(0).combine_chunks()
            for name in self._column.split(".")[1:]:
                values = values.field(name)
            self._cache[index] = values
            while sum(held.nbytes for held in self._cache.values()) > _CACHE_BYTES:
                if len(self._cache) == 1:
                    break
                self._cache.popitem(last=False)
        self._cache.move_to_end(index)
        return self._cache[index]

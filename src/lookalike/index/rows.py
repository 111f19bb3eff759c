"""The vectors of an index in one file, row by row, each with a checksum that knows its place."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.files import cannot_write

if TYPE_CHECKING:
    from lookalike.index.base import Space
    from lookalike.index.items import Vector

Slots = npt.NDArray[np.int64]
"""Numbers of rows."""

BLOCK_BYTES = 32 * 2**20
"""What is read at a time where all rows are."""

_SUM = 4


class RowFile:
    """Rows of one :class:`~lookalike.index.base.Space` by their slot: 0, 1, 2 …

    A row is the vector's bytes and a CRC-32 of them and of the slot, so that a flipped bit, a hole of zeros and rows
    that changed places are noticed. Any number of threads may read.

    Args:
        path: the file.
        space: what the vectors are.
        create: begin a new file.
    """

    def __init__(self, path: Path, space: Space, *, create: bool = False) -> None:
        self.path = path
        self.shape, self.dtype = space.row_shape, np.dtype(space.dtype).newbyteorder("<")
        self.width = int(np.prod(self.shape)) * self.dtype.itemsize
        self.stride = self.width + _SUM
        self._lock = threading.Lock()
        with cannot_write(path):
            self._file = path.open("w+b" if create else "r+b" if os.access(path, os.W_OK) else "rb", buffering=0)

    def write(self, first: int, rows: Vector) -> None:
        """Write rows from slot ``first`` on, and wait until they are on the disk."""
        packed = np.empty((len(rows), self.stride), np.uint8)
        packed[:, : self.width] = np.ascontiguousarray(rows, self.dtype).view(np.uint8).reshape(len(rows), self.width)
        sums = [zlib.crc32(row[: self.width].data, first + number & 0xFFFFFFFF) for number, row in enumerate(packed)]
        packed[:, self.width :] = np.array(sums, "<u4").view(np.uint8).reshape(-1, _SUM)
        with cannot_write(self.path), self._lock:
            self._file.seek(first * self.stride)
            content = memoryview(packed.tobytes())
            while content:
                content = content[self._file.write(content) :]
            os.fsync(self._file.fileno())

    def read(self, slots: Slots) -> tuple[Vector, npt.NDArray[np.bool_]]:
        """The rows of these slots, and which of them are sound; those that are not are zero."""
        content = bytearray(len(slots) * self.stride)
        sound = np.ones(len(slots), bool)
        for number, slot in enumerate(slots.tolist()):
            row = self._at(slot * self.stride, self.stride)
            if len(row) == self.stride and self._sum(row) == zlib.crc32(row[: self.width], slot & 0xFFFFFFFF):
                content[number * self.stride : (number + 1) * self.stride] = row
            else:
                sound[number] = False
        return self._rows(content), sound

    def blocks(self, first: int, end: int) -> Iterator[tuple[int, Vector, npt.NDArray[np.bool_]]]:
        """All rows of a range, as ``(first slot, rows, which are sound)``, a block at a time."""
        step = max(1, BLOCK_BYTES // self.stride)
        for start in range(first, end, step):
            count = min(step, end - start)
            content = bytearray(self._at(start * self.stride, count * self.stride))
            content += bytes(count * self.stride - len(content))
            view, sound = memoryview(content), np.ones(count, bool)
            sums = self._packed(content)[:, self.width :].copy().view("<u4")[:, 0].tolist()
            for number, told in enumerate(sums):
                at = number * self.stride
                sound[number] = told == zlib.crc32(view[at : at + self.width], start + number & 0xFFFFFFFF)
            rows = self._rows(content)
            rows[~sound] = 0
            yield start, rows, sound

    def _at(self, place: int, count: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), count, place)
        with self._lock:
            self._file.seek(place)
            return self._file.read(count)

    def _sum(self, row: bytes) -> int:
        return int.from_bytes(row[self.width :], "little")

    def _packed(self, content: bytearray) -> npt.NDArray[np.uint8]:
        return np.frombuffer(content, np.uint8).reshape(-1, self.stride)

    def _rows(self, content: bytearray) -> Vector:
        values = np.ascontiguousarray(self._packed(content)[:, : self.width])
        return values.view(self.dtype).reshape(-1, *self.shape)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

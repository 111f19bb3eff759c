"""The vectors of an index in one file, row by row, each with a checksum that knows its place."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable, Iterator
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

_HEAD = 8
"""Bytes before the first row: whose rows these are, and the CRC-32 of that."""


_PREAD: Callable[[int, int, int], bytes] | None = getattr(os, "pread", None)
"""Reading at a place of its own for every thread; Windows has none, and there they take turns."""


class RowFile:
    """Rows of one :class:`~lookalike.index.base.Space` by their slot: 0, 1, 2 …

    A row is the vector's bytes and a CRC-32 of them, of the slot and of the owner, so that a flipped bit, a hole of
    zeros, rows that changed places and those of another index are noticed. Any number of threads may read.

    Args:
        path: the file.
        space: what the vectors are.
        owner: whose rows they are, in words that no other file has.
        create: begin a new file.

    Raises:
        FileNotFoundError: there is none.
        OutputError: it cannot be used.
    """

    def __init__(self, path: Path, space: Space, owner: str = "", *, create: bool = False) -> None:
        self.path = path
        self._owner = zlib.crc32(owner.encode())
        self.shape, self.dtype = space.row_shape, np.dtype(space.dtype).newbyteorder("<")
        self.width = int(np.prod(self.shape)) * self.dtype.itemsize
        self.stride = self.width + _SUM
        self._lock = threading.Lock()
        if not create and not path.exists():
            raise FileNotFoundError(path)
        with cannot_write(path):
            self._file = path.open("w+b" if create else "r+b" if os.access(path, os.W_OK) else "rb", buffering=0)
            if create:
                self._file.write(self._head())

    def is_of_another(self) -> bool:
        """Whether its head is sound and names another owner; a damaged one says nothing, its rows will."""
        head = self._at(0, _HEAD)
        return zlib.crc32(head[:_SUM]).to_bytes(_SUM, "little") == head[_SUM:] and head != self._head()

    def write(self, first: int, rows: Vector, sound: npt.NDArray[np.bool_] | None = None) -> None:
        """Write rows from slot ``first`` on, and wait until they are on the disk; those not ``sound`` as damaged."""
        packed = np.empty((len(rows), self.stride), np.uint8)
        packed[:, : self.width] = np.ascontiguousarray(rows, self.dtype).view(np.uint8).reshape(len(rows), self.width)
        sums = np.array([self._crc(row[: self.width].data, first + number) for number, row in enumerate(packed)], "<u4")
        if sound is not None:
            sums[~sound] ^= 0xFFFFFFFF
        packed[:, self.width :] = sums.view(np.uint8).reshape(-1, _SUM)
        with cannot_write(self.path), self._lock:
            self._file.seek(_HEAD + first * self.stride)
            content = memoryview(packed.tobytes())
            while content:
                content = content[self._file.write(content) :]
            os.fsync(self._file.fileno())

    def read(self, slots: Slots) -> tuple[Vector, npt.NDArray[np.bool_]]:
        """The rows of these slots, and which of them are sound; those that are not are zero."""
        asked, width = slots.tolist(), self.width
        found = [self._at(_HEAD + slot * self.stride, self.stride) for slot in asked]
        content = bytearray().join(found)
        if len(content) < len(asked) * self.stride:  # cut short: what is missing is not what was written
            content = bytearray().join(row.ljust(self.stride, b"\0") for row in found)
        view, start = memoryview(content), self._owner
        sums = [
            zlib.crc32(view[at : at + width], start + slot & 0xFFFFFFFF)
            for slot, at in zip(asked, range(0, len(content), self.stride), strict=True)
        ]
        packed = np.frombuffer(content, np.uint8).reshape(-1, self.stride)
        told = np.ascontiguousarray(packed[:, width:]).view("<u4")[:, 0]
        sound = np.equal(told, np.array(sums, np.uint32))
        rows = self._rows(content)
        rows[~sound] = 0
        return rows, sound

    def blocks(self, first: int, end: int) -> Iterator[tuple[int, Vector, npt.NDArray[np.bool_]]]:
        """All rows of a range, as ``(first slot, rows, which are sound)``, a block at a time."""
        step = max(1, BLOCK_BYTES // self.stride)
        for start in range(first, end, step):
            count = min(step, end - start)
            content = bytearray(self._at(_HEAD + start * self.stride, count * self.stride))
            content += bytes(count * self.stride - len(content))
            view, sound = memoryview(content), np.ones(count, bool)
            sums = self._packed(content)[:, self.width :].copy().view("<u4")[:, 0].tolist()
            for number, told in enumerate(sums):
                at = number * self.stride
                sound[number] = told == self._crc(view[at : at + self.width], start + number)
            rows = self._rows(content)
            rows[~sound] = 0
            yield start, rows, sound

    def _at(self, place: int, count: int) -> bytes:
        if _PREAD is not None:
            return _PREAD(self._file.fileno(), count, place)
        with self._lock:
            self._file.seek(place)
            return self._file.read(count)

    def _head(self) -> bytes:
        owner = self._owner.to_bytes(_SUM, "little")
        return owner + zlib.crc32(owner).to_bytes(_SUM, "little")

    def _crc(self, row: bytes | memoryview, slot: int) -> int:
        return zlib.crc32(row, self._owner + slot & 0xFFFFFFFF)

    def _packed(self, content: bytearray) -> npt.NDArray[np.uint8]:
        return np.frombuffer(content, np.uint8).reshape(-1, self.stride)

    def _rows(self, content: bytearray) -> Vector:
        values = np.ascontiguousarray(self._packed(content)[:, : self.width])
        return values.view(self.dtype).reshape(-1, *self.shape)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

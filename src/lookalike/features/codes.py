"""Binary codes: vectors whose every number is +1/√bits or -1/√bits, and the bytes they fit into.

A network may end in such vectors (``lookalike train --kind binary`` makes one). Their cosine is
1 - 2·hamming/bits, so that everything that takes vectors takes them as they are, and a large collection can keep one
bit in place of four bytes: 32 times less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError

Codes = npt.NDArray[np.uint8]
"""uint8, N×bits/8: the signs of a row, eight a byte, the first in the highest bit; 1 for +."""


def pack_codes(vectors: npt.NDArray[np.floating]) -> Codes:
    """Signs of the vectors as bits.

    Args:
        vectors: N×bits, bits a multiple of 8.

    Returns:
        uint8 N×bits/8, as FAISS's binary indexes take them.

    Raises:
        UsageError: another shape.

    >>> pack_codes(np.array([[1, -1, -1, -1, -1, -1, -1, 1]]) / np.sqrt(8))
    array([[129]], dtype=uint8)
    """
    rows = np.asarray(vectors)
    if rows.ndim != 2 or rows.shape[1] % 8 or not rows.shape[1]:
        raise UsageError(f"codes are N×bits, bits a multiple of 8, not {rows.shape}")
    return np.packbits(rows >= 0, axis=1)


def unpack_codes(codes: Codes) -> npt.NDArray[np.float32]:
    """The vectors again: float32 N×bits, ±1/√bits.

    >>> unpack_codes(np.array([[129]], np.uint8))[0, :2].tolist()
    [0.3535533845424652, -0.3535533845424652]
    """
    bits = np.unpackbits(np.asarray(codes, np.uint8), axis=1).astype(np.float32)
    return np.asarray((2 * bits - 1) / np.sqrt(bits.shape[1]), np.float32)


def hamming(a: Codes, b: Codes) -> npt.NDArray[np.int64]:
    """Bits that differ, every row of ``a`` against every row of ``b``: N×M.

    >>> hamming(np.array([[129]], np.uint8), np.array([[128], [126]], np.uint8))
    array([[1, 8]])
    """
    a, b = np.asarray(a, np.uint8), np.asarray(b, np.uint8)
    found = np.empty((len(a), len(b)), np.int64)
    for row, code in enumerate(a):
        found[row] = np.bitwise_count(code ^ b).sum(axis=1)
    return found

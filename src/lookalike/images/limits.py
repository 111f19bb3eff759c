"""How much one picture may cost: checked from the header, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may be at most. Every limit is an option of the command line of the same name.

    Attributes:
        max_bytes: encoded size; default 20 MiB.
        max_pixels: width × height; default 50 million.
        max_side: pixels on the longer side; default 30,000.
        max_scans: scans of a progressive JPEG (each costs a pass over the whole picture); default 100.
        connect_seconds, total_seconds: for URLs, 3 s to connect and 10 s in all.
        max_redirects: for URLs, 3.
        allow_private_hosts: for URLs, also fetch from private and loopback addresses; off by default.
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    max_side: int = 30_000
    max_scans: int = 100
    connect_seconds: float = 3.0
    total_seconds: float = 10.0
    max_redirects: int = 3
    allow_private_hosts: bool = False

    def check_bytes(self, count: int, source: str) -> None:
        """Raise :class:`~lookalike.errors.LimitExceeded` where ``count`` bytes are too many."""
        if count > self.max_bytes:
            raise LimitExceeded(
                f"the file has more than {self.max_bytes / 2**20:.3g} MiB",
                source=source,
                remedy="raise --max-bytes to read it anyway",
            )

    def check_size(self, width: int, height: int, source: str) -> None:
        """Raise :class:`~lookalike.errors.LimitExceeded` where ``width`` × ``height`` pixels are too many."""
        if max(width, height) > self.max_side:
            raise LimitExceeded(
                f"the picture is {width}×{height}, over {self.max_side} pixels on a side",
                source=source,
                remedy="raise --max-side to read it anyway",
            )
        if width * height > self.max_pixels:
            raise LimitExceeded(
                f"the picture is {width}×{height}, over {self.max_pixels / 1e6:g} megapixels",
                source=source,
                remedy="raise --max-pixels to read it anyway",
            )

    def check_scans(self, count: int, source: str) -> None:
        """Raise :class:`~lookalike.errors.LimitExceeded` where a JPEG of ``count`` scans has too many."""
        if count > self.max_scans:
            raise LimitExceeded(
                f"the JPEG has {count} scans, over {self.max_scans}",
                source=source,
                remedy="raise --max-scans to read it anyway, or save it again",
            )

"""Limits: read from the header, exact at the boundary, each an option; and what a picture costs at most."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from peak_memory import peak_bytes
from PIL import Image, PngImagePlugin
from synthetic import noise, photo

from lookalike.errors import DecodeFailed, LimitExceeded
from lookalike.images.encoded import read_encoded
from lookalike.images.jpeg import jpeg_scans, reduction
from lookalike.images.limits import Limits
from lookalike.images.load import load


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (body, data, b"IEND")
    )


def tiff(tags: dict[int, int], body: bytes = b"") -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + bytes(4)


def gif(width: int, height: int, frames: int, frame: tuple[int, int] = (1, 1)) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([255, 0, 0, 0, 255, 0])
    one = b"!\xf9\x04\0\1\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\0"
    return head + one * frames + b";"


def bmp_header(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there ``count`` times more or less."""
    data = encoded(Image.fromarray(photo(1, 64, 64)), "JPEG", progressive=True)
    last = data.rfind(b"\xff\xda")
    have = jpeg_scans(data)
    return data[:last] + data[last:-2] * (count - have + 1) + b"\xff\xd9"


HUGE = {
    "png": png_header(50_000, 50_000),
    "png, many pixels": png_header(29_000, 29_000),
    "bmp": bmp_header(50_000, 50_000),
    "gif screen": gif(65_535, 65_535, 1),
    "gif frame": gif(1, 1, 1, frame=(65_535, 65_535)),
    "tiff": tiff({256: 2**31, 257: 2**31, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2**31, 279: 100}),
    "tiff tile": tiff(
        {256: 9, 257: 9, 258: 8, 259: 8, 262: 1, 277: 1, 322: 2**15, 323: 2**15, 324: 8, 325: 9}, bytes(99)
    ),
    "jpeg": b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0",
    "webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0" + bytes(8),
    "png, one long row": png_header(2**31 - 1, 1),
}


@pytest.mark.parametrize("kind", HUGE)
def test_a_huge_picture_is_refused_by_its_header(kind: str) -> None:
    load(png_header(1, 1))  # what is imported once is not counted
    tracemalloc.start()
    begin = time.perf_counter()
    with pytest.raises(LimitExceeded, match=r"^<bytes>: the picture .* raise ") as caught:
        load(HUGE[kind])
    seconds = time.perf_counter() - begin
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 0.2
    assert memory < 2**20
    assert "\n" not in str(caught.value)


def test_nothing_is_decoded_to_find_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = {
        format: encoded(Image.fromarray(photo(1, 60, 40)), format)
        for format in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF")
    }

    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refuse)
    for format, data in pictures.items():
        assert load(data).original_size == (60, 40)
        with pytest.raises(DecodeFailed):
            _ = load(data).pixels
        with pytest.raises(LimitExceeded):
            load(data, limits=Limits(max_side=59))
        assert load(data).format == format


class TestBoundaries:
    data = encoded(Image.fromarray(photo(1, 60, 40)), "PNG")

    @pytest.mark.parametrize(("option", "exact"), [("max_bytes", len(data)), ("max_pixels", 2400), ("max_side", 60)])
    def test_equal_passes_and_one_less_does_not(self, option: str, exact: int) -> None:
        for source in (self.data, bytearray(self.data), io.BytesIO(self.data)):
            load(source, limits=Limits(**{option: exact}))
        with pytest.raises(LimitExceeded, match="--" + option.replace("_", "-")):
            load(self.data, limits=Limits(**{option: exact - 1}))
        with pytest.raises(LimitExceeded):
            load(memoryview(self.data), limits=Limits(**{option: exact - 1}))
        with pytest.raises(LimitExceeded):
            load(io.BytesIO(self.data), limits=Limits(**{option: exact - 1}))

    def test_arrays_and_images_have_limits_too(self) -> None:
        for limits in (Limits(max_pixels=2399), Limits(max_side=59)):
            for source in (photo(1, 60, 40), Image.fromarray(photo(1, 60, 40))):
                with pytest.raises(LimitExceeded):
                    load(source, limits=limits)
        load(photo(1, 60, 40), limits=Limits(max_pixels=2400, max_side=60))

    def test_the_defaults(self) -> None:
        limits = Limits()
        assert (limits.max_bytes, limits.max_pixels, limits.max_side, limits.max_scans) == (
            20 * 2**20,
            50 * 10**6,
            30_000,
            100,
        )
        for width, height in ((30_000, 1_666), (1, 30_000), (10_000, 5_000)):
            assert load(png_header(width, height)).original_size == (width, height)
        for width, height in ((30_001, 1), (10_000, 5_001)):
            with pytest.raises(LimitExceeded):
                load(png_header(width, height))
        raised = Limits(max_side=10**6, max_pixels=10**12)
        assert load(HUGE["png"], limits=raised).original_size == (50_000, 50_000)

    def test_scans(self) -> None:
        assert jpeg_scans(many_scans(100)) == 100
        load(many_scans(100))
        with pytest.raises(LimitExceeded, match=r"101 scans.*--max-scans"):
            load(many_scans(101))
        assert load(many_scans(101), limits=Limits(max_scans=101)).pixels.shape == (64, 64, 3)


class TestFiles:
    def test_twenty_mebibytes_and_one(self, tmp_path: Path) -> None:
        path = tmp_path / "big.png"
        body = encoded(Image.new("RGB", (9, 9)), "PNG")
        path.write_bytes(body.ljust(20 * 2**20, b"\0"))
        assert load(path).original_size == (9, 9)
        with path.open("ab") as file:
            file.write(b"\0")
        for source in (path, path.read_bytes(), path.open("rb")):
            with pytest.raises(LimitExceeded, match=r"more than 20 MiB; raise --max-bytes"):
                load(source)

    def test_a_file_that_grows_while_it_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "growing.png"
        path.write_bytes(TestBoundaries.data + bytes(10_000))
        about = os.stat_result((0o100644, 1, 1, 1, 0, 0, len(TestBoundaries.data), 0, 0, 0))
        monkeypatch.setattr("lookalike.images.load.os.stat", lambda *_, **__: about)
        with pytest.raises(LimitExceeded):
            load(path, limits=Limits(max_bytes=len(TestBoundaries.data)))

    def test_a_file_object_without_end(self) -> None:
        class Endless(io.RawIOBase):
            given = 0

            def read(self, size: int = -1) -> bytes:
                self.given += 1000
                return b"\x89PNG" * 250

        endless = Endless()
        with pytest.raises(LimitExceeded):
            load(endless, limits=Limits(max_bytes=10_000))
        assert endless.given <= 12_000


class TestScans:
    def test_two_thousand(self) -> None:
        data = many_scans(2000)
        begin = time.perf_counter()
        with pytest.raises(LimitExceeded, match="2000 scans"):
            load(data)
        assert time.perf_counter() - begin < 0.2

    def test_ordinary_jpegs(self) -> None:
        image = Image.fromarray(noise(1, 300, 200))
        for options, want in (({}, 1), ({"progressive": True}, 10), ({"restart_marker_blocks": 1}, 1)):
            assert jpeg_scans(encoded(image, "JPEG", **options)) == want
        assert jpeg_scans(encoded(image.convert("L"), "JPEG", progressive=True)) == 6

    def test_a_thumbnail_is_not_counted(self) -> None:
        inner = b"\xff\xd8" + b"\xff\xda\0\2" * 500 + b"\xff\xd9"
        segment = b"\xff\xe1" + struct.pack(">H", len(inner) + 8) + b"Exif\0\0" + inner
        data = encoded(Image.fromarray(photo(1, 60, 40)), "JPEG")
        assert jpeg_scans(data[:2] + segment + data[2:]) == 1

    def test_what_follows_the_end_is_not_counted(self) -> None:
        data = encoded(Image.fromarray(photo(1, 60, 40)), "JPEG")
        film = b"\xff\xda" * 1000  # phones append a film of some megabytes, in which any bytes occur
        assert load(data + film).pixels.shape == (40, 60, 3)

    def test_scans_cannot_hide(self) -> None:
        data = many_scans(200)
        at = data.find(b"\xff\xda", data.find(b"\xff\xda") + 2)
        for between in (b"\xff\xfe\0\x04\xff\xd9", b"\xff" * 50, b"\xff\xfe\0\2", b"\xff\xd0"):
            with pytest.raises(LimitExceeded, match="200 scans"):
                load(data[:at] + between + data[at:])

    @pytest.mark.parametrize("filler", [b"\xff", b"\xff\0", b"\xff\xd0", b"\xff\xd8", b"\0"])
    def test_counting_takes_no_time(self, filler: bytes) -> None:
        begin = time.perf_counter()
        jpeg_scans(b"\xff\xd8" + filler * (2**21 // len(filler)))
        assert time.perf_counter() - begin < 1.5  # a second try at every byte would take minutes


def test_an_animation_is_read_to_its_first_frame_only() -> None:
    data = gif(1, 1, 60_000)
    begin = time.perf_counter()
    picture = load(data)
    assert picture.pixels.tolist() == [[[255, 0, 0]]]
    assert time.perf_counter() - begin < 0.1


def test_reduction_keeps_what_is_asked() -> None:
    rng = np.random.default_rng(1)
    for width, height, side in rng.integers(1, 3000, (500, 3)).tolist():
        scale = reduction(width, height, side)
        assert scale == 1 or max(width, height) // scale >= side
        assert min(width, height) // scale >= 1


TESTS = str(Path(__file__).resolve().parents[1])
COST = """
import sys
sys.path.insert(0, sys.argv[2])
from peak_memory import peak_bytes
from lookalike.images.load import load
picture = load(sys.argv[1])
assert picture.pixels.shape == (7071, 7071, 3)
assert picture.mask.shape == (7071, 7071)
print(peak_bytes())
"""


@pytest.mark.parametrize(
    ("format", "options"),
    [("PNG", {"compress_level": 1}), ("WEBP", {"lossless": True, "quality": 0, "method": 0})],
    ids=["PNG", "WebP"],
)
def test_fifty_megapixels_with_alpha_stay_under_700_megabytes(
    tmp_path: Path, format: str, options: dict[str, object]
) -> None:
    if not peak_bytes():
        pytest.skip("peak memory cannot be asked for on this system")
    path = tmp_path / "large"
    Image.new("RGBA", (7071, 7071), (10, 90, 200, 128)).save(path, format, **options)
    done = subprocess.run([sys.executable, "-c", COST, str(path), TESTS], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 700e6


def test_limits_name_the_picture() -> None:
    with pytest.raises(LimitExceeded, match=r"^shelf/a\.png: "):
        read_encoded(HUGE["png"], "shelf/a.png", Limits())

"""What is no picture gives one clear line and an error of ours; no bytes, however broken, give anything else."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from synthetic import photo

from lookalike.errors import (
    DecodeFailed,
    LookalikeError,
    PictureError,
    SourceNotFound,
    SourceUnreadable,
    UnsupportedFormat,
)
from lookalike.images.encoded import read_encoded
from lookalike.images.limits import Limits
from lookalike.images.load import load

posix = pytest.mark.skipif(os.name != "posix", reason="only POSIX systems have this")


def encoded(format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo(9, 64, 48)).save(buffer, format, **options)
    return buffer.getvalue()


def refused(source: object, kind: type[PictureError], *words: str) -> PictureError:
    """Load and decode ``source``; the error must be of ``kind``, on one line, with these words and a remedy."""
    begin = time.perf_counter()
    with pytest.raises(kind) as caught:
        _ = load(source).pixels  # type: ignore[arg-type]
    assert time.perf_counter() - begin < 2
    error = caught.value
    assert type(error) is kind
    message = str(error)
    assert message.isprintable()
    assert error.remedy
    assert message.endswith(error.remedy)
    for word in words:
        assert word in message
    return error


class TestPaths:
    def test_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "no.jpg"
        for source in (path, str(path), path / "under-a-file"):
            refused(source, SourceNotFound, str(path), "check the path")
        (tmp_path / "file").write_bytes(b"")
        refused(tmp_path / "file" / "a.jpg", SourceNotFound, "a.jpg")

    def test_null_byte_and_empty_name(self) -> None:
        refused("a\0b.jpg", SourceNotFound, "a\\x00b.jpg")
        refused("", SourceNotFound, "''")

    def test_directory(self, tmp_path: Path) -> None:
        refused(tmp_path, SourceUnreadable, str(tmp_path), "directory")

    @posix
    def test_pipe_and_device(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        refused(tmp_path / "pipe", SourceUnreadable, "pipe")
        refused("/dev/zero", SourceUnreadable, "/dev/zero", "device")

    @posix
    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
    def test_no_permission(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.png"
        path.write_bytes(encoded("PNG"))
        path.chmod(0)
        refused(path, SourceUnreadable, "secret.png", "permission")

    @posix
    def test_a_name_that_is_no_utf8(self, tmp_path: Path) -> None:
        path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
        try:
            Path(path).write_bytes(encoded("PNG"))
        except OSError:
            pytest.skip("this file system wants UTF-8")
        assert load(path).pixels.shape == (48, 64, 3)
        error = refused(path + "x", SourceNotFound, "caf")
        str(error).encode()

    def test_a_very_long_name(self) -> None:
        for name in ("a" * 5000 + ".jpg", "a/" * 5000 + "b.jpg"):
            with pytest.raises((SourceNotFound, SourceUnreadable)) as caught:
                load(name)
            assert len(str(caught.value)) < 400
            assert "permission" not in str(caught.value)

    def test_a_name_cannot_forge_a_second_line(self, tmp_path: Path) -> None:
        for name in ("a\nerror: all is well\r.jpg", "\x1b[2J\x1b[31m.jpg", "\u202egpj.exe", "\x85\u2028b.jpg"):
            refused(str(tmp_path / name), SourceNotFound)

    @posix
    def test_a_circle_of_links(self, tmp_path: Path) -> None:
        (tmp_path / "one").symlink_to(tmp_path / "two")
        (tmp_path / "two").symlink_to(tmp_path / "one")
        refused(tmp_path / "one", SourceUnreadable, "check the path")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"just some words\n", "text"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<svg width='1' height='1'/>", "SVG"),
        (b"  <!DOCTYPE html><title>404</title>", "web page"),
        (b"<html>", "web page"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (gzip.compress(encoded("PNG")), "no picture"),
        (b"\0\0\x01\0\x01\0" + bytes(100), "no picture"),  # ICO, left out on purpose
        (b"\0\0\0\x0cjP  \r\n\x87\n", "no picture"),  # JPEG 2000, left out on purpose
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "text"),
        (b"P6 1 1 255\n\0\0\0", "no picture"),
        (bytes(5000), "no picture"),
    ],
)
def test_what_is_no_picture(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    refused(path, UnsupportedFormat, "picture.jpg: ", word)
    refused(content, UnsupportedFormat, "<bytes>: ", word)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_truncated(tmp_path: Path, format: str, share: float) -> None:
    data = encoded(format)
    path = tmp_path / "half"
    path.write_bytes(data[: int(len(data) * share)])
    refused(path, DecodeFailed, "half: ", f"this {format} cannot be decoded")


def test_a_truncated_jpeg_says_so_at_every_scale() -> None:
    data = encoded("JPEG")
    for side in (0, 8, 32):
        with pytest.raises(DecodeFailed, match="truncated"):
            load(data[:-300]).decoded(side)


def test_an_error_is_raised_again_when_asked_again() -> None:
    picture = load(encoded("PNG")[:-60])
    for _ in range(2):
        with pytest.raises(DecodeFailed):
            _ = picture.pixels


LIMITS = Limits(max_pixels=2_000_000)  # so that a mutated header costs no time


def survives(data: bytes) -> None:
    try:
        picture = read_encoded(data, "fuzzed", LIMITS)
        width, height = picture.original_size
        small, pixels = picture.decoded(16).pixels, picture.pixels
    except LookalikeError as error:
        assert str(error).startswith("fuzzed: ")  # noqa: PT017
        assert str(error).isprintable()  # noqa: PT017
    else:
        assert pixels.shape == (height, width, 3)
        assert max(small.shape[:2]) >= min(16, width, height)
        assert not pixels.flags.writeable


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
@example(bytes(128) + b"DICM")
@example(b"II*\0" + b"\xff" * 50)
def test_arbitrary_bytes(data: bytes) -> None:
    survives(data)


SEEDS = {
    "JPEG": encoded("JPEG"),
    "JPEG, progressive": encoded("JPEG", progressive=True, quality=40),
    "PNG": encoded("PNG"),
    "GIF": encoded("GIF"),
    "WEBP": encoded("WEBP"),
    "BMP": encoded("BMP")[:3000],
    "TIFF": encoded("TIFF", compression="tiff_lzw"),
    "AVIF": encoded("AVIF"),
}


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from(sorted(SEEDS)),
    changes=st.lists(
        st.tuples(st.integers(0, 120) | st.integers(0, 5000), st.binary(min_size=1, max_size=4)), max_size=6
    ),
    cut=st.none() | st.integers(0, 5000),
    head=st.sampled_from([b"", b"", b"II*\0", b"BM", b"\xff\xd8\xff\xe1", b"GIF89a"]),
)
def test_mutated_pictures(kind: str, changes: list[tuple[int, bytes]], cut: int | None, head: bytes) -> None:
    data = bytearray(SEEDS[kind])
    for at, new in changes:
        at %= len(data)
        data[at : at + len(new)] = new
    data[: len(head)] = head
    survives(bytes(data[:cut]))


TESTS = str(Path(__file__).resolve().parents[1])
WALK = """
import json, sys, warnings
from pathlib import Path
from lookalike.errors import LookalikeError
from lookalike.images.load import load
sys.path.insert(0, sys.argv[2])
warnings.simplefilter("ignore")
root, rows = Path(sys.argv[1]), {}
for path in sorted(path for path in root.rglob("*") if path.is_file()):
    try:
        picture = load(path)
        width, height = picture.original_size
        assert picture.pixels.shape == (height, width, 3), path
        rows[str(path.relative_to(root))] = picture.format
    except LookalikeError as error:
        assert str(error).isprintable(), path
        rows[str(path.relative_to(root))] = ""
from peak_memory import peak_bytes
print(json.dumps([peak_bytes(), rows]))
"""


def test_a_collection_of_hostile_files(data: Path) -> None:
    folder = data / "bad-inputs"
    # A process of its own: a crash must not take the tests along, and its peak of memory is its own.
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(folder), TESTS], check=True, capture_output=True, timeout=120
    )
    peak, rows = json.loads(done.stdout)
    assert peak < 700e6
    assert len(rows) > 1700
    left_out = {"ICO", "JPEG2000"}
    for table in folder.glob("*/pillow_verdict.tsv"):
        for line in table.read_text(encoding="utf-8").splitlines():
            name, _, verdict = line.split("\t")
            format = rows[f"{table.parent.name}/{name}"]
            if verdict.startswith("ok:"):
                assert format or verdict[3:] in left_out, (name, verdict)
            else:
                assert format in {"", "HEIC"}, (name, verdict)  # Pillow alone has no HEIC

"""One decode path: whatever a picture comes from, its pixels are the same, and so is its size."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import photo

from lookalike.errors import DecodeFailed, InvalidArray, SourceUnreadable, UsageError
from lookalike.images.load import load
from lookalike.types import Picture

SCENE = photo(1, 60, 40)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def with_orientation(orientation: int, format: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(Image.fromarray(SCENE), format, exif=exif)


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """What EXIF 2.32 says, table 6: where row 0 and column 0 of the stored picture are to be shown."""
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.swapaxes(0, 1),
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(pixels),
    }[orientation]


def check(picture: Picture) -> None:
    """What holds for every picture."""
    width, height = picture.original_size
    assert picture.pixels.shape == (height, width, 3)
    assert picture.pixels.dtype == np.uint8
    assert not picture.pixels.flags.writeable
    assert picture.mask is None or (picture.mask.shape == (height, width) and not picture.mask.flags.writeable)
    assert picture.original_size == (width, height)


class Dribble(io.RawIOBase):
    """A source that gives a few bytes at a time, as a socket may."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def read(self, size: int = -1) -> bytes:
        part, self.rest = self.rest[: min(size, 100)], self.rest[min(size, 100) :]
        return part


@pytest.mark.parametrize(
    ("format", "mode"),
    [("JPEG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("TIFF", "CMYK"), ("WEBP", "RGB"), ("GIF", "P")],
)
def test_every_source_of_one_file_gives_its_pixels(tmp_path: Path, format: str, mode: str) -> None:
    data = encoded(Image.fromarray(SCENE).convert(mode), format)
    path = tmp_path / "scene"
    path.write_bytes(data)
    want = load(data)
    check(want)
    with path.open("rb") as file, Image.open(path) as image:
        sources = [str(path), path, bytearray(data), memoryview(data), io.BytesIO(data), file, Dribble(data), image]
        for source in sources:
            picture = load(source)
            check(picture)
            np.testing.assert_array_equal(picture.pixels, want.pixels)
            if source is not image:
                assert (picture.digest, picture.format) == (want.digest, format)
    again = load(Image.open(path))
    assert again.digest == load(Image.open(path)).digest
    assert load(want) is want


def test_sources_are_named_as_the_caller_named_them(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(SCENE), "PNG"))
    with path.open("rb") as file:
        assert load(file).source == str(path)
    assert load(path).source == str(path)
    assert load(path.read_bytes()).source == "<bytes>"
    assert load(io.BytesIO(path.read_bytes())).source == "<file>"
    assert load(SCENE).source == "<array>"
    assert load(Image.fromarray(SCENE)).source == "<image>"
    assert repr(load(path)) == f"<Picture {path} PNG 60×40>"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_orientation_is_applied_once(format: str, orientation: int) -> None:
    data = with_orientation(orientation, format)
    picture = load(data)
    assert picture.original_size == ((40, 60) if orientation >= 5 else (60, 40))  # before anything is decoded
    stored = load(with_orientation(1, format)).pixels
    np.testing.assert_array_equal(picture.pixels, turned(stored, orientation))
    check(picture)
    np.testing.assert_array_equal(load(Image.open(io.BytesIO(data))).pixels, picture.pixels)
    small = load(data).decoded(20).pixels
    assert (small.shape[0] > small.shape[1]) == (orientation >= 5)


def png_chunk(name: bytes, body: bytes) -> bytes:
    import struct
    import zlib

    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("kind", ["exif", "xmp"])
def test_a_png_tells_its_orientation_before_or_after_its_pixels(kind: str, where: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = b'XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    chunk = png_chunk(b"eXIf", exif.tobytes()[6:]) if kind == "exif" else png_chunk(b"iTXt", xmp)
    data = encoded(Image.fromarray(SCENE), "PNG")
    at = 33 if where == "before" else len(data) - 12
    picture = load(data[:at] + chunk + data[at:])
    assert picture.original_size == (40, 60)
    np.testing.assert_array_equal(picture.pixels, turned(SCENE, 6))


def test_broken_exif_says_nothing(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(SCENE), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 9)
    check(load(data))
    assert load(data).original_size == (60, 40)


@pytest.mark.parametrize("scene", ["Landscape", "Portrait"])
def test_all_orientations_of_a_real_scene_look_alike(data: Path, scene: str) -> None:
    pictures = [load(data / "exif-orientation" / f"{scene}_{n}.jpg") for n in range(9)]
    assert len({picture.original_size for picture in pictures}) == 1
    first = pictures[0].pixels.astype(int)
    for picture in pictures[1:]:
        assert np.abs(picture.pixels - first).mean() < 6  # each was compressed anew


def test_a_jpeg_is_reduced_only_as_far_as_asked() -> None:
    scene = photo(2, 900, 600)
    picture = load(encoded(Image.fromarray(scene), "JPEG", quality=95))
    for side, want in [
        (0, 900),
        (900, 900),
        (451, 900),
        (450, 450),
        (226, 450),
        (225, 225),
        (113, 225),
        (112, 113),
        (1, 113),
    ]:
        small = picture.decoded(side).pixels
        assert max(small.shape) == want
        exact = np.asarray(
            Image.fromarray(picture.pixels).resize((small.shape[1], small.shape[0]), Image.Resampling.BOX)
        )
        assert np.abs(exact.astype(int) - small).mean() < 3
        assert not small.flags.writeable
    assert picture.original_size == (900, 600)
    assert picture.decoded(300) is picture.decoded(400)  # one decode serves both


def test_what_was_asked_before_changes_nothing() -> None:
    data = encoded(Image.fromarray(photo(2, 400, 300)), "JPEG")
    one, other = load(data), load(data)
    forth = {side: one.decoded(side).pixels for side in (0, 40, 100, 200)}
    for side in (200, 100, 40, 0):
        np.testing.assert_array_equal(other.decoded(side).pixels, forth[side])


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (1000, 1), (7, 9), (2000, 9)])
def test_thin_pictures_are_decoded_at_every_side(size: tuple[int, int]) -> None:
    picture = load(encoded(Image.new("RGB", size, "red"), "JPEG"))
    for side in (0, 1, 2, 4, 8, 64, 500, 5000):
        shape = picture.decoded(side).pixels.shape
        assert max(shape[:2]) >= min(side, max(size))
        assert min(shape[:2]) >= 1


def test_a_lossless_picture_is_decoded_once_for_all_sides() -> None:
    picture = load(encoded(Image.fromarray(SCENE), "PNG"))
    assert picture.decoded(10) is picture.decoded(0)


def test_threads_share_a_picture() -> None:
    data = encoded(Image.fromarray(photo(3, 300, 200)), "JPEG")
    want = {side: load(data).decoded(side).pixels for side in (0, 30, 80)}
    for _ in range(5):
        picture = load(data)
        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda n: picture.decoded((0, 30, 80)[n % 3]).pixels, range(24)))  # noqa: B023
        for n, pixels in enumerate(got):
            np.testing.assert_array_equal(pixels, want[(0, 30, 80)[n % 3]])


class TestArrays:
    def test_kinds_of_numbers(self) -> None:
        for array in (
            SCENE,
            SCENE.astype(np.uint16) * 257,
            (SCENE.astype(np.uint16) * 257).astype(">u2"),
            SCENE / 255,
            (SCENE / 255).astype(np.float32),
            (SCENE / 255).astype(">f4"),
            np.asfortranarray(SCENE),
            np.ascontiguousarray(SCENE[:, ::-1])[:, ::-1],
        ):
            check(load(array))
            np.testing.assert_array_equal(load(array).pixels, SCENE)

    def test_an_array_equals_the_png_saved_from_it(self) -> None:
        rgba = np.dstack([SCENE, photo(4, 60, 40)[..., 0]])
        grey16 = SCENE[..., 0].astype(np.uint16) * 256 + SCENE[..., 1]
        for array in (SCENE, SCENE[..., 0], SCENE[..., :1], rgba, grey16, SCENE[..., 0] > 100):
            flat = array[..., 0] if array.shape[-1] == 1 else array
            saved = load(encoded(Image.fromarray(flat), "PNG"))
            made = load(array)
            check(made)
            np.testing.assert_array_equal(made.pixels, saved.pixels)
            assert (made.mask is None) == (saved.mask is None)
            if made.mask is not None:
                np.testing.assert_array_equal(made.mask, rgba[..., 3])
        np.testing.assert_array_equal(load(grey16).decoded().grey16, grey16)

    def test_what_the_caller_does_later_does_not_matter(self) -> None:
        for array in (SCENE.copy(), SCENE[..., 0].copy(), SCENE[..., 0].astype(np.uint16), SCENE / 255):
            picture = load(array)
            before = picture.pixels.copy()
            array[:] = 0
            np.testing.assert_array_equal(picture.pixels, before)
            assert array.flags.writeable

    def test_digests_tell_arrays_apart(self) -> None:
        zeros = [np.zeros(shape, kind) for shape in ((4, 6), (6, 4), (4, 6, 3)) for kind in (np.uint8, np.float32)]
        assert len({load(array).digest for array in zeros}) == len(zeros)
        assert load(SCENE).digest == load(SCENE.copy()).digest

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros(5, np.uint8),
            np.zeros((), np.uint8),
            np.zeros((0, 5), np.uint8),
            np.zeros((5, 0, 3), np.uint8),
            np.zeros((3, 40, 60), np.uint8),
            np.zeros((4, 5, 2), np.uint8),
            np.zeros((1, 4, 5, 3), np.uint8),
            np.zeros((4, 5), np.int32),
            np.zeros((4, 5), np.complex64),
            np.zeros((4, 5), object),
            np.full((4, 5), "a"),
            np.full((4, 5), np.nan),
            np.full((4, 5), np.inf),
            np.full((4, 5, 3), 1.01),
            np.full((4, 5, 3), -0.01, np.float32),
            np.full((4, 5, 3), 255.0),
        ],
    )
    def test_no_picture(self, array: np.ndarray) -> None:
        with pytest.raises(InvalidArray) as caught:
            load(array)
        assert "<array>" in str(caught.value)
        assert "\n" not in str(caught.value)


class TestOddSources:
    def test_kinds_that_are_no_source(self) -> None:
        for source in (None, 5, [1, 2], object()):
            with pytest.raises(UsageError, match="give a path"):
                load(source)  # type: ignore[arg-type]

    def test_text_files(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(b"\xff\xd8\xff")
        with path.open(encoding="utf-8") as file, pytest.raises(SourceUnreadable, match="rb"):
            load(file)  # type: ignore[arg-type]
        with pytest.raises(SourceUnreadable, match="rb"):
            load(io.StringIO("text"))  # type: ignore[arg-type]

    def test_a_buffer_just_written(self) -> None:
        buffer = io.BytesIO()
        Image.fromarray(SCENE).save(buffer, "PNG")
        with pytest.raises(SourceUnreadable, match="seek"):
            load(buffer)

    def test_closed_or_failing_files(self) -> None:
        closed = io.BytesIO(b"x")
        closed.close()

        class Failing(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                raise ZeroDivisionError

        for file in (closed, Failing()):
            with pytest.raises(SourceUnreadable):
                load(file)

    def test_images_that_cannot_be_decoded(self) -> None:
        data = encoded(Image.fromarray(photo(1, 300, 200)), "PNG")
        cut = Image.open(io.BytesIO(data[: len(data) // 2]))
        closed = Image.new("RGB", (4, 4))
        closed.close()
        for image in (cut, closed):
            with pytest.raises(DecodeFailed, match="open it anew"):
                load(image)

    def test_paths_as_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(encoded(Image.fromarray(SCENE), "PNG"))

        class BytesPath:
            def __fspath__(self) -> bytes:
                return os.fsencode(path)

        assert load(BytesPath()).source == str(path)  # type: ignore[arg-type]

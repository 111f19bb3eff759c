"""Every format and mode: the pixels, against constants or against Pillow's steps written out."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from synthetic import photo

from lookalike.errors import UnsupportedFormat
from lookalike.images.load import load

SCENE = photo(5, 48, 32)
ALPHA = photo(6, 48, 32)[..., 0]


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG made by hand, for depths that Pillow does not write; ``rows`` unfiltered, a zero before each."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def on_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None].astype(float) / 255
    return rgb * share + 255 * (1 - share)


def close(got: np.ndarray, want: np.ndarray, within: float = 1.0) -> None:
    assert got.shape == want.shape
    assert np.abs(got.astype(float) - want).max() <= within


class TestTransparency:
    def test_rgba(self) -> None:
        rgba = np.dstack([SCENE, ALPHA])
        for format, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
            picture = load(encoded(Image.fromarray(rgba), format, **options))
            close(picture.pixels, on_white(SCENE, ALPHA))
            np.testing.assert_array_equal(picture.mask, ALPHA)

    def test_fully_transparent_is_white_and_opaque_is_itself(self) -> None:
        rgba = np.dstack([SCENE, np.where(np.arange(48) < 24, 0, 255)[None].repeat(32, 0).astype(np.uint8)])
        pixels = load(encoded(Image.fromarray(rgba), "PNG")).pixels
        assert (pixels[:, :24] == 255).all()
        np.testing.assert_array_equal(pixels[:, 24:], SCENE[:, 24:])

    def test_grey_with_alpha(self) -> None:
        grey = SCENE[..., 0]
        picture = load(encoded(Image.fromarray(np.dstack([grey, ALPHA])), "PNG"))
        close(picture.pixels, on_white(np.dstack([grey] * 3), ALPHA))
        np.testing.assert_array_equal(picture.mask, ALPHA)

    def test_palette_with_transparency(self) -> None:
        rows = b"\0\x1b"  # four pixels: 0, 1, 2, 3
        palette = (b"PLTE", bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9]))
        picture = load(png(4, 1, 2, 3, rows, palette, (b"tRNS", bytes([255, 0, 51]))))
        assert picture.pixels[0].tolist() == [[255, 0, 0], [255, 255, 255], [204, 204, 255], [9, 9, 9]]
        assert picture.mask is not None
        assert picture.mask[0].tolist() == [255, 0, 51, 255]

    @pytest.mark.parametrize(("bits", "row"), [(1, b"\x40"), (2, b"\x1b"), (4, b"\x01\x23"), (8, b"\0\1\2\3")])
    def test_grey_with_a_transparent_level(self, bits: int, row: bytes) -> None:
        count = 2 if bits == 1 else 4
        picture = load(png(count, 1, bits, 0, b"\0" + row, (b"tRNS", b"\0\1")))
        assert picture.mask is not None
        assert picture.mask[0].tolist() == [0 if level == 1 else 255 for level in range(count)]
        want = [255 if level == 1 else round(level * 255 / (2**bits - 1)) for level in range(count)]
        assert picture.pixels[0, :, 0].tolist() == want

    def test_sixteen_bit_grey_with_a_transparent_level(self) -> None:
        rows = b"\0" + struct.pack(">3H", 1000, 1001, 65535)
        decoded = load(png(3, 1, 16, 0, rows, (b"tRNS", struct.pack(">H", 1001)))).decoded()
        assert decoded.mask is not None
        assert decoded.grey16 is not None
        assert decoded.mask[0].tolist() == [255, 0, 255]
        assert decoded.grey16[0].tolist() == [1000, 65535, 65535]
        assert decoded.pixels[0, :, 0].tolist() == [4, 255, 255]

    def test_colour_key(self) -> None:
        rows = b"\0" + bytes([1, 2, 3, 1, 2, 4])
        picture = load(png(2, 1, 8, 2, rows, (b"tRNS", struct.pack(">3H", 1, 2, 3))))
        assert picture.pixels[0].tolist() == [[255, 255, 255], [1, 2, 4]]

    @pytest.mark.parametrize("mode", ["RGBa", "La", "PA"])
    def test_modes_that_only_a_pillow_image_has(self, mode: str) -> None:
        straight = Image.fromarray(np.dstack([SCENE, np.maximum(ALPHA, 128)]))
        through = {"RGBa": ["RGBa"], "La": ["LA", "La"], "PA": ["PA"]}[mode]
        image = straight
        for step in through:
            image = image.convert(step)
        picture = load(image)
        assert picture.mask is not None
        assert picture.pixels.shape == (32, 48, 3)

    def test_without_alpha_there_is_no_mask(self) -> None:
        for mode in ("RGB", "L", "P", "1", "CMYK"):
            assert load(Image.fromarray(SCENE).convert(mode)).mask is None


class TestDepth:
    def test_sixteen_bit_grey(self) -> None:
        levels = np.array([[0, 127, 128, 257, 385, 386, 32768, 65406, 65407, 65535]], np.uint16)
        for format in ("PNG", "TIFF"):
            decoded = load(encoded(Image.fromarray(levels), format)).decoded()
            np.testing.assert_array_equal(decoded.grey16, levels)
            assert decoded.pixels[0, :, 0].tolist() == [0, 0, 0, 1, 1, 2, 128, 254, 255, 255]

    def test_sixteen_bit_colour(self) -> None:
        values = (SCENE.astype(np.uint16) << 8) | 0x7F
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        picture = load(png(48, 32, 16, 2, rows))
        np.testing.assert_array_equal(picture.pixels, SCENE)
        np.testing.assert_array_equal(load(values).pixels, picture.pixels)

    def test_one_bit(self) -> None:
        dots = SCENE[..., 0] > 120
        for format in ("PNG", "TIFF", "BMP", "GIF"):
            picture = load(encoded(Image.fromarray(dots), format))
            np.testing.assert_array_equal(picture.pixels[..., 1], np.where(dots, 255, 0))

    def test_grey(self) -> None:
        for format in ("PNG", "TIFF", "BMP", "GIF"):
            picture = load(encoded(Image.fromarray(SCENE[..., 0]), format))
            np.testing.assert_array_equal(picture.pixels, np.dstack([SCENE[..., 0]] * 3))
            assert picture.decoded().grey16 is None

    def test_floats_and_integers(self) -> None:
        unit = np.array([[0.0, 0.25, 1.0]], np.float32)
        wide = np.array([[-2.0, 0.0, 6.0]], np.float32)
        holes = np.array([[np.nan, 1.0, np.inf]], np.float32)
        whole = np.array([[0, 257, 65535]], np.int32)
        large = np.array([[-100, 0, 100]], np.int32)
        eight = np.array([[0, 100, 255]], np.int32)  # as Image.convert("I") gives it
        bytes_ = np.array([[0.0, 100.0, 255.0]], np.float32)
        wanted = [[0, 64, 255], [0, 64, 255], [0, 255, 255], [0, 1, 255], [0, 128, 255], [0, 100, 255], [0, 100, 255]]
        for array, want in zip((unit, wide, holes, whole, large, eight, bytes_), wanted, strict=True):
            picture = load(encoded(Image.fromarray(array), "TIFF"))
            assert picture.pixels[0, :, 0].tolist() == want

    def test_strips_give_what_the_whole_gives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        swapped = profile_with_red_and_green_exchanged()
        palette = Image.fromarray(SCENE).quantize(16)
        palette.info["transparency"] = 3
        images = [
            Image.fromarray(SCENE),
            Image.fromarray(np.dstack([SCENE, ALPHA])),
            palette,
            Image.fromarray(SCENE[..., 0].astype(np.uint16) * 200),
            Image.fromarray(SCENE[..., 0].astype(np.float32) * 3 - 50),
        ]
        images[1].info["icc_profile"] = swapped
        before = [load(image).decoded() for image in images]
        monkeypatch.setattr("lookalike.images.colour.STRIP_PIXELS", 48 * 5)
        for image, want in zip(images, before, strict=True):
            got = load(image).decoded()
            for name in ("pixels", "mask", "grey16"):
                np.testing.assert_array_equal(getattr(got, name), getattr(want, name))


def profile_with_red_and_green_exchanged() -> bytes:
    """sRGB with the primaries of red and green exchanged: shown rightly, (r, g, b) is the sRGB colour (g, r, b)."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", data[128:132])[0]
    for n in range(count):
        at = 132 + 12 * n
        name = bytes(data[at : at + 4])
        data[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ", b"rTRC": b"gTRC", b"gTRC": b"rTRC"}.get(name, name)
    return bytes(data)


def grey_profile(gamma: float) -> bytes:
    """The smallest grey profile, ICC.1:2001-04: one curve, one white point."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(79)
    tags = [(b"kTRC", curve), (b"wtpt", white), (b"desc", text + bytes(-len(text) % 4))]
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"\0\0\0\0", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + table + body


class TestColour:
    def test_a_profile_is_applied(self) -> None:
        profile = profile_with_red_and_green_exchanged()
        for format, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})):
            picture = load(encoded(Image.fromarray(SCENE), format, icc_profile=profile, **options))
            close(picture.pixels, SCENE[..., [1, 0, 2]], within=2)
        jpeg = encoded(Image.fromarray(SCENE), "JPEG", icc_profile=profile, quality=100, subsampling=0)
        plain = load(encoded(Image.fromarray(SCENE), "JPEG", quality=100, subsampling=0)).pixels
        close(load(jpeg).pixels, plain[..., [1, 0, 2]], within=2)

    def test_a_profile_is_applied_under_transparency_and_to_a_palette(self) -> None:
        profile = profile_with_red_and_green_exchanged()
        rgba = Image.fromarray(np.dstack([SCENE, ALPHA]))
        close(load(encoded(rgba, "PNG", icc_profile=profile)).pixels, on_white(SCENE[..., [1, 0, 2]], ALPHA), within=2)
        palette = Image.fromarray(SCENE).quantize(16)
        want = np.asarray(palette.convert("RGB"))[..., [1, 0, 2]]
        close(load(encoded(palette, "PNG", icc_profile=profile)).pixels, want, within=2)

    def test_a_name_does_not_make_it_srgb(self) -> None:
        linear = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        count = struct.unpack(">I", linear[128:132])[0]
        for n in range(count):
            name, at, size = struct.unpack(">4sII", linear[132 + 12 * n : 144 + 12 * n])
            if name in {b"rTRC", b"gTRC", b"bTRC"}:
                linear[at : at + size] = (b"curv" + bytes(8)).ljust(size, b"\0")  # no entries: the identity
        assert "srgb" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(bytes(linear)))).lower()
        half = Image.new("RGB", (4, 4), (55, 55, 55))  # 55 / 255 of the light is 128 in sRGB: IEC 61966-2-1
        assert abs(int(load(encoded(half, "PNG", icc_profile=bytes(linear))).pixels[0, 0, 0]) - 128) <= 1

    def test_srgb_itself_changes_nothing(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        np.testing.assert_array_equal(load(encoded(Image.fromarray(SCENE), "PNG", icc_profile=profile)).pixels, SCENE)

    def test_grey_profile(self) -> None:
        grey = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        pixels = load(encoded(grey, "PNG", icc_profile=grey_profile(1.8))).pixels
        light = (np.arange(256) / 255) ** 1.8
        srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
        close(pixels[0], np.dstack([srgb * 255] * 3)[0], within=2)
        assert (pixels[..., 0] == pixels[..., 1]).all()

    @pytest.mark.parametrize("profile", [b"nonsense", bytes(200), grey_profile(2.2), b"\xff" * 4000])
    def test_a_profile_that_does_not_fit_is_ignored(self, profile: bytes) -> None:
        np.testing.assert_array_equal(load(encoded(Image.fromarray(SCENE), "PNG", icc_profile=profile)).pixels, SCENE)

    def test_cmyk(self) -> None:
        ink = np.zeros((16, 64, 4), np.uint8)
        ink[:, :16] = (255, 0, 0, 0)  # cyan
        ink[:, 16:32] = (0, 255, 255, 0)  # red
        ink[:, 32:48] = (0, 0, 0, 255)  # black; the rest is paper
        wanted = [[0, 255, 255], [255, 0, 0], [0, 0, 0], [255, 255, 255]]
        image = Image.fromarray(ink, "CMYK")
        for format in ("TIFF", "JPEG"):  # the JPEG carries Adobe's marker and inverted inks
            data = encoded(image, format, **({"quality": 95} if format == "JPEG" else {}))
            assert format == "TIFF" or b"Adobe" in data
            picture = load(data)
            close(picture.pixels[8, 8::16], np.array(wanted), within=4)
            assert picture.decoded(8).pixels.shape[2] == 3

    def test_lab(self) -> None:
        lab = np.zeros((2, 2, 3), np.uint8)
        lab[..., 0] = [[0, 255], [137, 137]]  # L* of 0, 100, 53.6: the grey 128 of sRGB
        image = Image.frombytes("LAB", (2, 2), lab.tobytes())
        pixels = load(encoded(image, "TIFF")).pixels
        close(pixels[..., 1], np.array([[0, 255], [128, 128]]), within=2)

    def test_other_modes(self) -> None:
        for mode in ("YCbCr", "HSV"):
            close(load(Image.fromarray(SCENE).convert(mode)).pixels, SCENE.astype(float), within=8)


class TestContainers:
    def test_first_frame_of_animations(self) -> None:
        frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
        options = {"save_all": True, "append_images": frames[1:], "duration": 50}
        for format in ("GIF", "PNG", "WEBP", "TIFF", "AVIF"):
            picture = load(encoded(frames[0], format, **options))
            assert picture.format == format
            close(picture.pixels[5, 10], np.array([255, 0, 0]), within=3)

    def test_a_gif_whose_first_frame_leaves_gaps(self) -> None:
        head = b"GIF89a" + struct.pack("<HHBBB", 4, 1, 0x80, 0, 0) + bytes([10, 20, 30, 200, 100, 50])
        control = b"!\xf9\x04\x01\0\0\0\0"
        frame = b"," + struct.pack("<HHHHB", 1, 0, 2, 1, 0) + b"\x02\x02\x4c\x0a\0;"  # two pixels of colour 1
        picture = load(head + control + frame)
        assert picture.original_size == (4, 1)
        assert picture.pixels[0].tolist() == [[255] * 3, [200, 100, 50], [200, 100, 50], [255] * 3]

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
    def test_bmp(self, mode: str) -> None:
        image = Image.fromarray(SCENE).convert(mode)
        close(load(encoded(image, "BMP")).pixels, np.asarray(image.convert("RGB"), float), within=0)

    def test_a_bmp_stored_from_the_top(self) -> None:
        data = bytearray(encoded(Image.fromarray(SCENE), "BMP"))
        data[22:26] = struct.pack("<i", -32)
        np.testing.assert_array_equal(load(bytes(data)).pixels, SCENE[::-1])

    @pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg", "zstd"])
    def test_tiff(self, compression: str) -> None:
        picture = load(encoded(Image.fromarray(SCENE), "TIFF", compression=compression))
        close(picture.pixels, SCENE.astype(float), within=40 if compression == "jpeg" else 0)

    def test_mpo_gives_its_first_picture(self) -> None:
        first, second = Image.fromarray(photo(7, 64, 48)), Image.new("RGB", (64, 48), "red")
        data = encoded(first, "MPO", save_all=True, append_images=[second])
        want = load(encoded(first, "JPEG")).pixels
        np.testing.assert_array_equal(load(data).pixels, want)

    def test_avif(self) -> None:
        close(load(encoded(Image.fromarray(SCENE), "AVIF", quality=100)).pixels, SCENE.astype(float), within=12)

    def test_avif_under_the_general_brand(self) -> None:
        data = encoded(Image.fromarray(SCENE), "AVIF")
        assert data[8:12] == b"avif"
        picture = load(data[:8] + b"mif1" + data[12:])
        assert picture.format == "AVIF"
        np.testing.assert_array_equal(picture.pixels, load(data).pixels)

    @pytest.mark.parametrize("orientation", [1, 6])
    def test_heic(self, orientation: int) -> None:
        heif = pytest.importorskip("pillow_heif")
        scene = photo(8, 128, 96)
        exif = Image.Exif()
        exif[0x0112] = orientation
        buffer = io.BytesIO()
        heif.from_pillow(Image.fromarray(scene)).save(buffer, quality=95, exif=exif.tobytes())
        picture = load(buffer.getvalue())
        assert picture.format == "HEIC"
        want = scene if orientation == 1 else np.rot90(scene, -1)
        assert picture.original_size == (want.shape[1], want.shape[0])
        assert picture.pixels.shape == want.shape
        assert np.abs(picture.pixels.astype(float) - want).mean() < 6

    @pytest.mark.parametrize(
        ("package", "data", "extra"),
        [
            ("pillow_heif", b"\0\0\0\x18ftypheic" + bytes(40), "heic"),
            ("pydicom", bytes(128) + b"DICM" + bytes(40), "dicom"),
        ],
    )
    def test_an_extra_that_is_missing_is_named(
        self, monkeypatch: pytest.MonkeyPatch, package: str, data: bytes, extra: str
    ) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(UnsupportedFormat, match=rf'^<bytes>.*pip install "lookalike\[{extra}\]"$'):
            load(data)


def test_loading_brings_in_nothing_heavy() -> None:
    heavy = "{'cv2', 'onnxruntime', 'skimage', 'pydicom', 'pillow_heif', 'httpx'}"
    code = f"import sys, lookalike.images.load; assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

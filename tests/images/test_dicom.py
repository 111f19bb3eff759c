"""DICOM: what is shown, against the formulas of the standard written out (PS3.3 C.11.2.1.2)."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from synthetic import photo

from lookalike.errors import DecodeFailed, LimitExceeded, UnsupportedFormat
from lookalike.images.limits import Limits
from lookalike.images.load import load

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402
from pydicom.uid import (  # noqa: E402
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)


def dicom(
    array: np.ndarray, photometric: str = "MONOCHROME2", syntax: str = ExplicitVRLittleEndian, **tags: Any
) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    colours = array.shape[-1] if photometric in {"RGB", "YBR_FULL"} else 1
    frame = array.shape[:-1] if colours > 1 else array.shape
    dataset.Rows, dataset.Columns = frame[-2:]
    if len(frame) == 3:
        dataset.NumberOfFrames = frame[0]
    dataset.SamplesPerPixel = colours
    if colours > 1:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = array.dtype.itemsize * 8
    dataset.BitsStored = tags.pop("BitsStored", dataset.BitsAllocated)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.PixelData = array.tobytes() + bytes(array.nbytes % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


CT = (photo(1, 40, 30)[..., 0].astype(np.uint16) * 16)[:, :40]


def linear(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    shown = np.empty(values.shape)
    for at, x in np.ndenumerate(values.astype(float)):
        if x <= centre - 0.5 - (width - 1) / 2:
            shown[at] = 0
        elif x > centre - 0.5 + (width - 1) / 2:
            shown[at] = 1
        else:
            shown[at] = (x - (centre - 0.5)) / (width - 1) + 0.5
    return shown


def grey(data: bytes) -> np.ndarray:
    picture = load(data)
    assert picture.format == "DICOM"
    decoded = picture.decoded()
    assert decoded.grey16 is not None
    assert picture.original_size == (decoded.grey16.shape[1], decoded.grey16.shape[0])
    assert not decoded.grey16.flags.writeable
    np.testing.assert_array_equal(decoded.pixels[..., 0], np.floor(decoded.grey16 / 257 + 0.5))
    return decoded.grey16 / 65535


@pytest.mark.parametrize(("centre", "width"), [(2000, 1000), (2048, 4096), (300, 1), (1000.5, 77.5)])
def test_window_and_level(centre: float, width: float) -> None:
    got = grey(dicom(CT, BitsStored=12, WindowCenter=centre, WindowWidth=width))
    np.testing.assert_allclose(got, linear(CT, centre, width), atol=1e-4)


def test_the_first_of_several_windows() -> None:
    got = grey(dicom(CT, WindowCenter=[1000, 3000], WindowWidth=[500, 100]))
    np.testing.assert_allclose(got, linear(CT, 1000, 500), atol=1e-4)


def test_signed_and_rescaled_to_hounsfield_units() -> None:
    stored = CT.astype(np.int16) - 2000
    got = grey(dicom(stored, RescaleSlope=2, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400))
    np.testing.assert_allclose(got, linear(stored * 2.0 - 1024, 40, 400), atol=1e-4)


def test_monochrome1_is_turned_round() -> None:
    tags = {"WindowCenter": 2000, "WindowWidth": 3000}
    np.testing.assert_allclose(grey(dicom(CT, "MONOCHROME1", **tags)), 1 - grey(dicom(CT, **tags)), atol=1e-4)


def test_other_functions() -> None:
    tags = {"WindowCenter": 2000, "WindowWidth": 1000}
    got = grey(dicom(CT, VOILUTFunction="SIGMOID", **tags))
    np.testing.assert_allclose(got, 1 / (1 + np.exp(-4 * (CT - 2000.0) / 1000)), atol=1e-4)
    got = grey(dicom(CT, VOILUTFunction="LINEAR_EXACT", **tags))
    np.testing.assert_allclose(got, np.clip((CT - 2000.0) / 1000 + 0.5, 0, 1), atol=1e-4)


@pytest.mark.parametrize("tags", [{}, {"WindowCenter": "", "WindowWidth": ""}, {"WindowCenter": 5, "WindowWidth": 0}])
def test_without_a_window_all_that_is_there_is_shown(tags: dict[str, Any]) -> None:
    got = grey(dicom(CT, **tags))
    np.testing.assert_allclose(got, (CT - CT.min()) / np.ptp(CT.astype(float)), atol=1e-4)
    assert not grey(dicom(np.full((4, 5), 7, np.uint16))).any()


def test_a_lookup_table() -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.LUTData = (np.arange(4096)[::-1] * 8).astype(np.uint16).tolist()  # turned round, and to half the range
    table.add_new(0x00283002, "US", [4096, 0, 16])
    table.add_new(0x00283006, "US", table.LUTData)
    got = grey(dicom(CT, BitsStored=12, VOILUTSequence=Sequence([table])))
    np.testing.assert_allclose(got, (4095 - CT) * 8 / 65535, atol=1e-4)


def test_eight_bits_and_implicit_syntax() -> None:
    values = photo(2, 21, 15)[..., 0]
    got = grey(dicom(values, syntax=ImplicitVRLittleEndian, WindowCenter=128, WindowWidth=256))
    np.testing.assert_allclose(got, values / 255, atol=1e-4)


def test_the_first_frame() -> None:
    frames = np.stack([CT, CT[::-1], CT[:, ::-1]])
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    np.testing.assert_array_equal(grey(dicom(frames, **window)), grey(dicom(CT, **window)))


def test_colour() -> None:
    rgb = photo(3, 22, 14)
    picture = load(dicom(rgb, "RGB"))
    np.testing.assert_array_equal(picture.pixels, rgb)
    assert picture.decoded().grey16 is None
    assert not picture.pixels.flags.writeable
    np.testing.assert_array_equal(load(dicom(np.stack([rgb, rgb[::-1]]), "RGB")).pixels, rgb)
    deep = rgb.astype(np.uint16) * 257
    np.testing.assert_array_equal(load(dicom(deep, "RGB")).pixels, rgb)


def test_ybr() -> None:
    ybr = np.full((4, 4, 3), (76, 85, 255), np.uint8)  # BT.601: full red
    assert np.abs(load(dicom(ybr, "YBR_FULL")).pixels.astype(int) - [254, 0, 0]).max() <= 1


def test_palette() -> None:
    tags: dict[str, Any] = {}
    for n, colour in enumerate(("Red", "Green", "Blue")):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        values = (np.array([0, 100, 200, 255]) // (n + 1)).astype("<u2") * 257
        tags[f"{colour}PaletteColorLookupTableData"] = values.tobytes()
    picture = load(dicom(np.array([[0, 1], [2, 3]], np.uint8), "PALETTE COLOR", **tags))
    assert picture.pixels.reshape(-1, 3).tolist() == [[0, 0, 0], [100, 50, 33], [200, 100, 66], [255, 127, 85]]


def test_compressed() -> None:
    plain = pydicom.dcmread(io.BytesIO(dicom(CT, WindowCenter=2048, WindowWidth=4096)))
    plain.compress(RLELossless)
    buffer = io.BytesIO()
    plain.save_as(buffer)
    np.testing.assert_allclose(grey(buffer.getvalue()), linear(CT, 2048, 4096), atol=1e-4)


def test_a_compression_without_decoder_is_named() -> None:
    meta = pydicom.dcmread(io.BytesIO(dicom(CT)))
    meta.file_meta.TransferSyntaxUID = JPEGLSLossless
    meta.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xf7" + bytes(20)])
    meta["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    meta.save_as(buffer)
    if pydicom.pixels.get_decoder(JPEGLSLossless).is_available:
        pytest.skip("this pydicom reads JPEG-LS")
    with pytest.raises(UnsupportedFormat, match=r"^<bytes>: .* compressed as JPEG-LS.*; save it uncompressed$"):
        load(buffer.getvalue())


def test_a_deflated_file_is_refused_before_it_is_inflated() -> None:
    data = dicom(np.zeros((3000, 3000), np.uint8), syntax=DeflatedExplicitVRLittleEndian)
    assert len(data) < 100_000
    with pytest.raises(UnsupportedFormat, match="Deflated"):
        load(data)


def test_limits() -> None:
    with pytest.raises(LimitExceeded, match="40×30"):
        load(dicom(CT), limits=Limits(max_side=39))
    huge = bytearray(dicom(CT))
    for tag in (b"\x28\0\x10\0US\2\0", b"\x28\0\x11\0US\2\0"):  # rows, columns
        at = huge.index(tag) + len(tag)
        huge[at : at + 2] = b"\xff\xff"
    with pytest.raises(LimitExceeded, match="65535×65535"):
        load(bytes(huge))


def test_damaged() -> None:
    data = dicom(CT)
    for broken in (data[:-100], data[:400], data[:140], data[:132] + bytes(100), bytes(128) + b"DICM"):
        with pytest.raises(DecodeFailed, match=r"^<bytes>: this DICOM"):
            _ = load(broken).pixels


def test_threads_share_a_picture() -> None:
    data = dicom(CT, WindowCenter=2048, WindowWidth=4096)
    want = grey(data)
    for _ in range(5):
        picture = load(data)
        with ThreadPoolExecutor(8) as pool:
            for decoded in pool.map(lambda n: picture.decoded(n), range(16)):  # noqa: B023
                np.testing.assert_array_equal(decoded.grey16 / 65535, want)

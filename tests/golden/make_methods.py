"""Writes ``methods.json``: what other people's code says about pictures made in code.

Run it in an environment with ImageHash, pdqhash, scikit-image, SciPy, onnx, torch and pytorch-msssim, with ``tests/``
on the path. It must never import the package under test. A changed value means a new ``version`` of that method.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import imagehash
import numpy as np
import onnx
import pdqhash
import torch
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from PIL import Image
from pytorch_msssim import ms_ssim
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
from skimage.transform import warp_polar
from synthetic import picture

Row = dict[str, Any]


def hexadecimal(bits: np.ndarray) -> str:
    return np.packbits(np.asarray(bits, bool).ravel()).tobytes().hex()


def hash_rows() -> list[Row]:
    functions = {
        "ahash": imagehash.average_hash,
        "dhash": imagehash.dhash,
        "phash": imagehash.phash,
        "phash16": lambda image: imagehash.phash(image, hash_size=16),
        "whash": imagehash.whash,
        "colorhash": imagehash.colorhash,
        "pdq": lambda image: imagehash.ImageHash(pdqhash.compute(np.array(image))[0]),
    }
    rows = []
    for method, function in functions.items():
        reference = "pdqhash 0.2.8" if method == "pdq" else f"ImageHash {imagehash.__version__}"
        for name in ("photo", "wide", "dress-red"):
            bits = function(Image.fromarray(picture(name))).hash
            rows.append({"method": method, "picture": name, "bits": hexadecimal(bits), "reference": reference})
    for name in ("photo", "dress-red"):
        made = imagehash.crop_resistant_hash(Image.fromarray(picture(name)))
        bits = np.stack([segment.hash for segment in made.segment_hashes])
        rows.append({"method": "crophash", "picture": name, "bits": hexadecimal(bits), "reference": "ImageHash 4.3.2"})
    for name in ("photo", "dress-red"):
        pixels = picture(name)
        digest = hashlib.sha256(f"{pixels.shape}|u1".encode() + pixels.tobytes()).hexdigest()
        rows.append({"method": "exact", "picture": name, "pixels": digest, "reference": "hashlib"})
    return rows


def grey(name: str) -> np.ndarray:
    return np.asarray(Image.fromarray(picture(name)).convert("L"))


def error_rows(a: str, b: str) -> list[Row]:
    x, y = picture(a), picture(b)
    error = mean_squared_error(x, y)
    error_of_psnr = 255**2 / 10 ** (peak_signal_noise_ratio(x, y) / 10)
    mapped = 1 - np.log(1 + error_of_psnr) / np.log(1 + 255**2)
    return [
        {"method": "mse", "a": a, "b": b, "similarity": 1 - np.sqrt(error) / 255, "reference": "scikit-image"},
        {"method": "psnr", "a": a, "b": b, "similarity": mapped, "reference": "scikit-image"},
    ]


def structure_rows(a: str, b: str) -> list[Row]:
    single = structural_similarity(grey(a), grey(b), data_range=255)
    tensors = [torch.from_numpy(grey(name).astype(np.float64))[None, None] for name in (a, b)]
    multi = ms_ssim(*tensors, data_range=255).item()
    return [
        {"method": "ssim", "a": a, "b": b, "similarity": single, "tolerance": 1e-4, "reference": "scikit-image"},
        {"method": "msssim", "a": a, "b": b, "similarity": multi, "tolerance": 1e-4, "reference": "pytorch-msssim"},
    ]


def histogram_rows(a: str, b: str) -> list[Row]:
    both = []
    for name in (a, b):
        hsv = cv2.cvtColor(picture(name), cv2.COLOR_RGB2HSV).reshape(-1, 3)
        counts = np.histogram2d(hsv[:, 0], hsv[:, 1], bins=(180, 256), range=((0, 180), (0, 256)))[0].ravel()
        both.append(counts / counts.sum())
    greys = [np.bincount(grey(name).ravel(), minlength=256) for name in (a, b)]
    correlation = max(0.0, np.corrcoef(*both)[0, 1])
    distance = np.sqrt(1 - np.sqrt(both[0] * both[1]).sum())
    cosine = greys[0] @ greys[1] / np.linalg.norm(greys[0]) / np.linalg.norm(greys[1])
    values = {"hsv": correlation, "bhattacharyya": 1 - distance, "grey": cosine}
    return [{"method": m, "a": a, "b": b, "similarity": v, "reference": "NumPy"} for m, v in values.items()]


def style_numbers(pixels: np.ndarray) -> np.ndarray:
    """The 114 numbers from their description, one after the other."""
    unit = pixels / 255.0
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).reshape(-1, 3)
    flat = pixels.reshape(-1, 3)
    count = len(flat)
    numbers: list[float] = []
    for channel in range(3):
        numbers.extend(np.histogram(flat[:, channel], bins=10, range=(0, 256))[0] / count)
    numbers.extend(np.histogram(hsv[:, 0], bins=18, range=(0, 180), weights=hsv[:, 1] / 255)[0] / count)
    numbers.extend(np.histogram(hsv[:, 1], bins=10, range=(0, 256))[0] / count)
    numbers.extend(np.histogram(hsv[:, 2], bins=10, range=(0, 256))[0] / count)

    brightness = np.log(1 + cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) / 64)
    across, down = (ndimage.sobel(brightness, axis=axis, mode="mirror") for axis in (1, 0))
    falling = ndimage.correlate(brightness, np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]), mode="mirror")
    rising = ndimage.correlate(brightness, np.array([[2, 1, 0], [1, 0, -1], [0, -1, -2]]), mode="mirror")
    strength = np.hypot(across, down)
    edge = strength > 0.25
    blocks = [np.s_[64 * r : 64 * r + 64, 64 * c : 64 * c + 64] for r in range(3) for c in range(3)]
    means = np.array([unit[block].mean(axis=(0, 1)) for block in blocks])
    texture = np.array([edge[block].mean() for block in blocks])
    scaled = 0.5 + (means - means.mean(axis=0)) / (8 * np.maximum(means.std(axis=0), 0.02))
    for index in range(9):
        numbers.extend([*scaled[index], texture[index] / texture.max()])

    red, green, blue = unit.mean(axis=(0, 1))
    numbers.append(0.299 * red + 0.587 * green + 0.114 * blue)
    numbers.append(4 * unit.reshape(-1, 3).var(axis=0).mean())
    numbers.extend((unit**2).mean(axis=(0, 1)))
    winner = np.argmax([np.abs(kernel) for kernel in (down, across, falling, rising)], axis=0)
    numbers.extend((winner[edge] == direction).mean() for direction in range(4))
    numbers.append(edge.mean())
    return np.array(numbers)


def style_rows(a: str, b: str) -> list[Row]:
    x, y = style_numbers(picture(a)), style_numbers(picture(b))
    weights = np.array(
        30 * [0.8]
        + 18 * [1.0]
        + 10 * [0.9]
        + 10 * [1.2]
        + 36 * [3.0]
        + [2.2, 2, 1.8, 1.8, 1.8, 2.8, 2.8, 3.2, 3.2, 3.5]
    )
    cosine = (x * weights) @ (y * weights) / np.linalg.norm(x * weights) / np.linalg.norm(y * weights)
    layout = np.mean([np.exp(-5 * np.linalg.norm((x - y)[68 + 4 * k : 72 + 4 * k])) for k in range(9)])
    hue = np.mean(np.exp(-8 * np.abs(x - y)[30:48]))
    score = 0.40 * cosine + 0.25 * layout + 0.25 * hue + 0.10 * (1 - np.abs(x - y).mean())
    largest = np.abs(x - y).max()
    score *= 0.3 if largest > 0.8 else 0.5 if largest > 0.6 else 0.7 if largest > 0.4 else 1.0
    reference = "make_methods.py, from the description with SciPy"
    return [{"method": "style", "a": a, "b": b, "similarity": score**0.7, "tolerance": 1e-3, "reference": reference}]


def shrunk(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Means of ``factor`` × ``factor`` pixels, rounded; float."""
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    return np.floor(pixels.reshape(height, factor, width, factor, -1).mean(axis=(1, 3)) + 0.5)


def rings(pixels: np.ndarray) -> np.ndarray:
    """The 117 numbers of ``disc`` from their description; for sides that are multiples of 64."""
    brightness = np.floor(pixels @ np.array([0.299, 0.587, 0.114]) + 0.5)[..., None]
    small = shrunk(brightness, min(pixels.shape[:2]) // 64)[..., 0]
    soft = ndimage.gaussian_filter(small, 1.4, mode="mirror")
    polar = warp_polar(soft, center=(31.5, 31.5), radius=31.5, output_shape=(64, 10), order=1)[:, 1:]
    waves = np.abs(np.fft.fft(polar, axis=0))[:13] / 64
    waves[0] = np.abs(polar.mean(axis=0) - polar.mean())
    roots = np.sqrt(waves).ravel()
    return roots / np.linalg.norm(roots)


def disc_row(a: str, b: str) -> Row:
    """Roots make much of small waves, and OpenCV reads between pixels in steps of 1/32: hence the tolerance."""
    cosine = rings(picture(a)) @ rings(picture(b))
    return {"method": "disc", "a": a, "b": b, "similarity": cosine, "tolerance": 5e-3, "reference": "scikit-image"}


class QLinearAdd(OpRun):
    """The operator of com.microsoft, which the reference evaluator does not know."""

    op_domain = "com.microsoft"

    def _run(self, a, a_scale, a_zero, b, b_scale, b_zero, scale, zero):  # type: ignore[no-untyped-def]
        total = (a.astype(np.float32) - a_zero) * a_scale + (b.astype(np.float32) - b_zero) * b_scale
        return (np.clip(np.rint(total / scale) + zero, 0, 255).astype(np.uint8),)


def cells_row(a: str, b: str) -> Row:
    """The network's layer by ONNX's own reference evaluator; for square pictures of 128, 256, 512 pixels."""
    models = Path(__file__).parents[2] / "src" / "lookalike" / "features" / "models"
    network = onnx.load(models / "efficientnet-lite0-int8-cells.onnx")
    network.opset_import[0].version = 21  # DequantizeLinear of version 18 is not among its operators
    evaluator = ReferenceEvaluator(network, new_ops=[QLinearAdd])
    middle = next(item for node in network.graph.node if "cells" in node.output for item in node.input[-1:])
    zero = next(int(onnx.numpy_helper.to_array(each)) for each in network.graph.initializer if each.name == middle)
    grids = []
    for name in (a, b):
        pixels = picture(name)
        while len(pixels) > 128:
            pixels = shrunk(pixels, 2).astype(np.uint8)
        (layer,) = evaluator.run(["cells"], {network.graph.input[0].name: pixels[None]})
        cells = layer.reshape(80, 64).T.astype(float) - zero
        grids.append(cells / np.linalg.norm(cells, axis=1, keepdims=True))
    alike = grids[0] @ grids[1].T
    similarity = max(alike.max(axis=0).mean(), alike.max(axis=1).mean())
    reference = f"onnx {onnx.__version__}, reference evaluator"
    return {"method": "cells", "a": a, "b": b, "similarity": similarity, "tolerance": 1e-3, "reference": reference}


def averaged(length: int, wanted: int) -> np.ndarray:
    """wanted×length: what each of ``wanted`` pixels takes of ``length``, by the area it covers."""
    edges = np.arange(wanted + 1) * length / wanted
    place = np.arange(length)
    covered = np.minimum(edges[1:, None], place + 1) - np.maximum(edges[:-1, None], place)
    return np.maximum(covered, 0) * wanted / length


def colours(pixels: np.ndarray) -> np.ndarray:
    """Roots of shares in the 8×14×14 bins of ``palette`` from their description, pixel by pixel; for over 96 pixels."""
    height, width = pixels.shape[:2]
    small = np.einsum("yh,xw,hwc->yxc", averaged(height, 96), averaged(width, 96), pixels.astype(float), optimize=True)
    lab = rgb2lab(np.rint(small).astype(np.uint8))
    counts = np.zeros((8, 14, 14))
    for row in range(96):
        for column in range(96):
            out = ((row - 47.5) / 47.5) ** 2 + ((column - 47.5) / 47.5) ** 2
            # from the middle of one bin to the middle of the next; colours beyond the last middle belong to it alone
            bins = (lab[row, column] - (0, -80, -80)) / (12.5, 160 / 14, 160 / 14) - 0.5
            lower = [(min(max(math.floor(each), 0), most), each) for each, most in zip(bins, (6, 12, 12), strict=True)]
            for corner in itertools.product((0, 1), repeat=3):
                shares = [
                    min(max(1 - abs(each - low - up), 0), 1) if 0 <= each - low <= 1 else float(up == (each > low))
                    for (low, each), up in zip(lower, corner, strict=True)
                ]
                place = tuple(low + up for (low, _), up in zip(lower, corner, strict=True))
                counts[place] += math.prod(shares) * math.exp(-2 * out)
    return np.sqrt(counts / counts.sum())


def palette_row(a: str, b: str) -> Row:
    """OpenCV reads its Lab from tables, and the method leaves a thousandth to the last bin but one."""
    similarity = (colours(picture(a)) * colours(picture(b))).sum()
    reference = "make_methods.py, from the description with scikit-image"
    return {"method": "palette", "a": a, "b": b, "similarity": similarity, "tolerance": 5e-4, "reference": reference}


def enlarged(pixels: np.ndarray, side: int) -> np.ndarray:
    """A square picture enlarged by cubic convolution (Keys, a = -0.75, as OpenCV has it); float, rounded."""
    length = len(pixels)
    at = (np.arange(side) + 0.5) * length / side - 0.5
    weights = np.zeros((side, length))
    for tap in range(-1, 3):
        near = np.floor(at).astype(int) + tap
        away = np.abs(at - near)
        inner = 1.25 * away**3 - 2.25 * away**2 + 1
        outer = -0.75 * (away**3 - 5 * away**2 + 8 * away - 4)
        np.add.at(weights, (np.arange(side), near.clip(0, length - 1)), np.where(away <= 1, inner, outer))
    made = np.einsum("yh,xw,hwc->yxc", weights, weights, pixels.astype(float), optimize=True)
    return np.rint(made).clip(0, 255)


@cache
def points_of_object(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (x, y) at 640 pixels, descriptors and Lab colours, from the description; for smaller square pictures."""
    pixels = enlarged(picture(name), 640)
    model = Path(__file__).parents[2] / "src" / "lookalike" / "features" / "models" / "xfeat.onnx"
    evaluator = ReferenceEvaluator(onnx.load(model))
    grey_pixels = (pixels.mean(axis=2) / 255).astype(np.float32)[None, None]
    layers = evaluator.run(["descriptors", "heatmap", "reliability"], {"grey": grey_pixels})
    descriptors, heat, reliability = (np.asarray(layer[0], float) for layer in layers)

    def between(layer: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Values between the middles of cells; as XFeat has it, the last pixel lies on the outer border."""
        rows, columns = layer.shape
        place = [points[:, 1] / 639 * rows - 0.5, points[:, 0] / 639 * columns - 0.5]
        return np.asarray(ndimage.map_coordinates(layer, place, order=1, mode="nearest"))

    highest = ndimage.maximum_filter(heat[0], size=5, mode="constant", cval=0)
    y, x = np.nonzero((heat[0] == highest) & (heat[0] > 0.05))
    points = np.stack([x, y], axis=1)
    value = heat[0][y, x] * between(reliability[0], points)
    points = points[np.argsort(-value, kind="stable")[:1024]]
    found = np.stack([between(layer, points) for layer in descriptors], axis=1)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    half = rgb2lab(shrunk(pixels, 2).astype(np.uint8))
    soft = np.stack([ndimage.gaussian_filter(half[..., k], 3, mode="mirror") for k in range(3)], axis=2)
    return points.astype(float), found, soft[points[:, 1] // 2, points[:, 0] // 2]


def explained(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which points b come within 14 pixels of points a by the best of all shifts with turn and scale: those through
    two of the pairs each, tried one after the other."""
    x, y = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    best = np.zeros(len(a), bool)
    for first in range(len(a)):
        for second in range(first):
            if y[first] == y[second]:
                continue
            turn = (x[first] - x[second]) / (y[first] - y[second])
            near = np.abs(x - x[first] - turn * (y - y[first])) < 14
            if near.sum() > best.sum():
                best = near
    return best


def object_row(a: str, b: str) -> Row:
    """The method draws pairs of points by chance and stops when it is sure enough: hence the tolerance."""
    points_a, descriptors_a, colours_a = points_of_object(a)
    points_b, descriptors_b, colours_b = points_of_object(b)
    cosines = descriptors_a @ descriptors_b.T
    mutual = [
        (i, j) for i, j in enumerate(cosines.argmax(axis=1)) if cosines[:, j].argmax() == i and cosines[i, j] > 0.75
    ]
    i, j = np.array(mutual).T
    change = colours_a[i] - colours_b[j]
    counted = 0.0
    for chosen in (explained(points_a[i], points_b[j]), cosines[i, j] > 0.85):
        rest = change[chosen] - np.median(change[chosen], axis=0) * (1, 0.5, 0.5)
        counted += np.exp(-((rest * (0.5, 1, 1) / 12) ** 2).sum(axis=1)).sum() / 2
    similarity = 1 - 2 ** (-counted / 14)
    reference = f"onnx {onnx.__version__}, reference evaluator; all pairs of points"
    return {"method": "object", "a": a, "b": b, "similarity": similarity, "tolerance": 5e-3, "reference": reference}


def main() -> None:
    rows = hash_rows()
    rows += error_rows("small", "small-mixed")
    for pair in (("photo", "mixed"), ("photo", "other")):
        rows += structure_rows(*pair) + histogram_rows(*pair)
    for pair in (("dress-red", "dress-blue"), ("dress-red", "trousers-red"), ("dress-red", "photo-192")):
        rows += style_rows(*pair)
    rows += [disc_row("photo", "mixed"), disc_row("photo", "other"), disc_row("dress-red", "trousers-red")]
    rows += [cells_row("photo", "mixed"), cells_row("photo", "other")]
    rows += [palette_row("photo", "mixed"), palette_row("photo", "other"), palette_row("photo", "wide")]
    rows += [object_row("photo", "pasted"), object_row("photo", "pasted-bluer"), object_row("photo", "photo-192")]
    rounded = [{k: round(float(v), 9) if k == "similarity" else v for k, v in row.items()} for row in rows]
    text = "[\n" + ",\n".join("  " + json.dumps(row) for row in rounded) + "\n]\n"
    Path(__file__).with_name("methods.json").write_text(text)


if __name__ == "__main__":
    main()

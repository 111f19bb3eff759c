"""What every method of the registry promises, whatever it looks at."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_network import channel_means
from PIL import Image
from synthetic import garment, noise, photo

from lookalike import load
from lookalike.errors import UsageError
from lookalike.features.base import REGISTRY, Method, method
from lookalike.types import Picture

OTHER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "ahash": {"hash_size": 16},
    "dhash": {"hash_size": 16},
    "phash": {"hash_size": 12},
    "phash16": {"hash_size": 8},
    "turns": {"hash": "pdq"},
    "whash": {"hash_size": 16},
    "colorhash": {"binbits": 4},
    "ssim": {"full_depth": True},
    "ssim16": {"full_depth": False},
    "orb": {"features": 500},
    "sift": {"features": 500},
    "xfeat": {"points": 256},
    "embedding": {"model": "efficientnet-lite0", "size": 128, "content": True},
    "cells": {"side": 64},
}
"""Arguments that change the feature, and so must change the key, each by itself."""

SAME_FEATURE: dict[str, dict[str, Any]] = {
    "orb": {"ratio": 0.6},  # for counting matches
    "embedding": {"providers": ["CPUExecutionProvider"]},
}
"""Arguments that leave the feature alone, and so must leave the key alone."""

FOR_A_FILE = {"embedding": {"mean", "std"}}
"""Arguments for a network of one's own only: see test_key_tells_normalisations_apart."""

SLOW = {"crophash": ("photo", "other photo", "one pixel", "a strip", "white", "alpha", "dark", "dark but a pixel")}
"""Methods that take half a second a picture see these only."""


@cache
def made(name: str) -> Method[Any]:
    return method(name)


def with_alpha() -> Image.Image:
    pixels = photo(8, 90, 70)
    alpha = np.zeros((70, 90), np.uint8)
    alpha[20:50, 20:60] = 255
    return Image.fromarray(np.dstack([pixels, alpha]))


@cache
def pictures() -> dict[str, Picture]:
    """Ordinary and awkward pictures by name."""
    grey16 = (np.arange(64 * 48).reshape(48, 64) * 21).astype(np.uint16)
    # so near to each other and to black that rounding in float32 carried sums past 1
    dark = noise(1, 200, 300) % 3
    dark_but_a_pixel = dark.copy()
    dark_but_a_pixel[150, 100] ^= 1
    sources: dict[str, Any] = {
        "photo": photo(1, 300, 200),
        "other photo": photo(2, 240, 320),
        "large": photo(3, 700, 640),
        "garment": garment("dress", (30, 90, 160)),
        "noise": noise(4, 64, 64),
        "one pixel": np.array([[[200, 30, 90]]], np.uint8),
        "two by two": noise(5, 2, 2),
        "a column": noise(6, 1, 500),
        "a row": noise(7, 500, 1),
        "a strip": noise(8, 600, 3),
        "a long column": noise(12, 1, 5000),
        "a long row": noise(13, 5000, 1),
        "black": np.zeros((40, 60, 3), np.uint8),
        "white": np.full((60, 40, 3), 255, np.uint8),
        "checkerboard": (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8),
        "alpha": with_alpha(),
        "array with alpha": np.asarray(with_alpha())[::-1].copy(),
        "all transparent": Image.new("RGBA", (30, 20), (10, 20, 30, 0)),
        "grey": photo(9, 120, 80)[..., 0],
        "16 bit grey": grey16,
        "16 bit grey, turned": np.ascontiguousarray(grey16.T),
        "dark": dark,
        "dark but a pixel": dark_but_a_pixel,
    }
    return {name: load(source) for name, source in sources.items()}


@cache
def features(name: str) -> dict[str, Any]:
    """A feature for every picture, extracted in one batch."""
    labels = SLOW.get(name, tuple(pictures()))
    return dict(zip(labels, made(name).extract([pictures()[label] for label in labels]), strict=True))


def same(a: Any, b: Any) -> bool:
    """Equality of features, which may be arrays, records of arrays or nests of them."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


names = pytest.mark.parametrize("name", REGISTRY)


@names
def test_one_feature_a_picture_whatever_the_batch(name: str) -> None:
    batch = features(name)
    assert made(name).extract([]) == []
    tolerance_needed = name == "embedding"  # a network adds up in another order in another batch
    for label in batch:
        alone = made(name).extract([pictures()[label]])
        assert len(alone) == 1
        if tolerance_needed:
            np.testing.assert_allclose(alone[0], batch[label], atol=1e-5, err_msg=label)
        else:
            assert same(alone[0], batch[label]), label


@names
def test_features_have_the_declared_shape_and_type(name: str) -> None:
    for label, feature in features(name).items():
        if made(name).shape is not None:
            assert feature.shape == made(name).shape, label
        if made(name).dtype is not None:
            assert feature.dtype == np.dtype(made(name).dtype), label
    if made(name).metric is not None:
        assert made(name).shape is not None
        assert made(name).dtype is not None, "an index needs plain arrays of one shape"


@names
def test_similarity_is_symmetric_and_between_0_and_1(name: str) -> None:
    made_features = list(features(name).items())
    for index, (label_a, a) in enumerate(made_features):
        for label_b, b in made_features[index + 1 :]:
            forward, backward = made(name).compare(a, b), made(name).compare(b, a)
            assert type(forward) is float, "a plain float, ready for JSON"
            assert 0.0 <= forward <= 1.0, (label_a, label_b)
            assert forward == pytest.approx(backward, abs=1e-6), (label_a, label_b)


@names
def test_a_picture_is_like_itself(name: str) -> None:
    for label, feature in features(name).items():
        assert made(name).compare(feature, feature) == 1.0, label
        assert made(name).compare(feature, copy.deepcopy(feature)) == 1.0, label


@names
def test_comparing_leaves_features_alone(name: str) -> None:
    a, b = features(name)["photo"], features(name)["other photo"]
    before = copy.deepcopy((a, b))
    first = made(name).compare(a, b)
    assert same((a, b), before)
    assert made(name).compare(a, b) == first


@names
def test_extracting_leaves_pixels_alone(name: str) -> None:
    pixels = photo(11, 130, 90)
    picture = load(pixels.copy())
    made(name).extract([picture])
    np.testing.assert_array_equal(picture.pixels, pixels)


@names
def test_key_is_stable_and_tells_parameters_apart(name: str) -> None:
    again = method(name)
    assert made(name).key == again.key
    assert json.loads(json.dumps(again.params)) == again.params, "parameters are JSON values"
    assert again.key.startswith(f"{again.name}/{again.version}/")


@names
def test_every_parameter_is_shown_to_change_the_key_or_not_to(name: str) -> None:
    takes = set(inspect.signature(type(made(name))).parameters)
    changing, harmless = OTHER_ARGUMENTS.get(name, {}), SAME_FEATURE.get(name, {})
    assert takes == {*changing, *harmless, *FOR_A_FILE.get(name, set())}, "a new parameter needs a row above"
    keys = [made(name).key, *(method(name, **{key: value}).key for key, value in changing.items())]
    assert len(set(keys)) == len(keys)
    for key, value in harmless.items():
        assert method(name, **{key: value}).key == made(name).key, key


def test_key_tells_normalisations_apart(tmp_path: Path) -> None:
    own: dict[str, Any] = {"model": str(channel_means(tmp_path / "mine.onnx")), "mean": [0, 0, 0], "std": [1, 1, 1]}
    arguments = [own, {**own, "mean": [0, 0, 0.5]}, {**own, "std": [1, 1, 0.5]}]
    assert len({method("embedding", size=32, **each).key for each in arguments}) == 3


def test_keys_of_all_methods_differ() -> None:
    assert len({method(name).key for name in REGISTRY}) == len(REGISTRY)


@names
def test_unknown_argument_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="does not take 'colour_of_the_sky'; it takes: ") as caught:
        method(name, colour_of_the_sky="blue")
    for parameter in inspect.signature(type(made(name))).parameters:
        assert parameter in str(caught.value)


@pytest.mark.parametrize(("name", "parameter"), [(name, key) for name, row in OTHER_ARGUMENTS.items() for key in row])
@pytest.mark.parametrize("value", [object(), [1], "1,5", 1.5])
def test_wrong_value_is_a_usage_error(name: str, parameter: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        method(name, **{parameter: value})
    assert "does not take" not in str(caught.value), "it takes the argument, but not this value"

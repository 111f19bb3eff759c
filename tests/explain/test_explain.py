"""The whole way: a pair in, a file out."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lookalike import load
from lookalike.errors import OutputError, UsageError
from lookalike.explain import explain
from lookalike.scoring.pair import Pair
from lookalike.scoring.presets import PRESETS
from lookalike.scoring.rules import decide
from lookalike.types import Comparison, Transform

Pixels = npt.NDArray[np.uint8]
HOSTILE = "<script>alert(1)</script>\"'><img src=https://evil.example/x onerror=alert(2)>\u202e&amp;\n.jpg"


@pytest.fixture(scope="module")
def cropped(scene: Pixels) -> tuple[Pair, Comparison]:
    pair = Pair(load(scene), load(np.ascontiguousarray(scene[60:420, 90:590])))
    return pair, decide(pair, PRESETS["auto"])


class Page(HTMLParser):
    """What a browser would see: tags, attributes that load something, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.loads: list[str] = []
        self.policy = ""
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.handlers += [name for name in given if name.startswith("on")]
        self.loads += [str(given[name]) for name in ("src", "href", "srcset", "action", "data") if name in given]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(given["content"])

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def written(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "PNG"), (".jpg", "JPEG"), (".webp", "WEBP")])
def test_sheet_opens_as_what_its_suffix_says(
    cropped: tuple[Pair, Comparison], tmp_path: Path, suffix: str, kind: str
) -> None:
    out = explain(*cropped, tmp_path / f"why{suffix}")
    with Image.open(out) as image:
        image.load()
        assert image.format == kind
        assert image.width == 1200
        assert 800 < image.height < 2000
    assert os.listdir(tmp_path) == [out.name]


def test_second_is_drawn_in_its_place_on_the_sheet(cropped: tuple[Pair, Comparison], tmp_path: Path) -> None:
    """With a placement there are the three smaller pictures; without one the sheet is shorter by them."""
    pair, comparison = cropped
    with_it = Image.open(explain(pair, comparison, tmp_path / "a.png"))
    without = Image.open(explain(pair, replace(comparison, transform=None), tmp_path / "b.png"))
    assert with_it.height - without.height > 250


def test_page_stands_alone(cropped: tuple[Pair, Comparison], tmp_path: Path) -> None:
    text = written(explain(*cropped, tmp_path / "why.html"))
    page = Page(text)
    assert page.loads
    assert all(load.startswith("data:image/webp;base64,") for load in page.loads)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp|//[a-z]", re.sub(r"data:[^\"]*", "", text).split("<body")[0])
    assert "link" not in page.tags
    for uri in page.loads:
        with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as picture:
            picture.load()


def test_policy_allows_the_pages_own_script_and_nothing_else(cropped: tuple[Pair, Comparison], tmp_path: Path) -> None:
    text = written(explain(*cropped, tmp_path / "why.html"))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = dict(rule.strip().split(" ", 1) for rule in Page(text).policy.split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'sha256-{digest}'"
    assert policy["img-src"] == "data:"


def test_hostile_names_stay_words(cropped: tuple[Pair, Comparison], tmp_path: Path) -> None:
    pair, comparison = cropped
    hostile = replace(
        comparison, a=HOSTILE, b=HOSTILE, reasons=(HOSTILE,), preset=HOSTILE, model=HOSTILE,
        details={HOSTILE: HOSTILE, "inliers": 3}, parts={HOSTILE: 0.5},
    )  # fmt: skip
    text = written(explain(pair, hostile, tmp_path / "why.html"))
    page, plain = Page(text), Page(written(explain(pair, comparison, tmp_path / "plain.html")))
    assert page.tags.count("script") == plain.tags.count("script") == 1
    assert page.tags.count("img") == plain.tags.count("img")
    assert page.handlers == []
    assert "\u202e" not in text
    assert any("<script>alert(1)</script>" in words for words in page.words)  # told as it is, as words
    assert Image.open(explain(pair, hostile, tmp_path / "why.png")).width == 1200


def test_undecodable_and_endless_names_are_written(cropped: tuple[Pair, Comparison], tmp_path: Path) -> None:
    pair, comparison = cropped
    odd = replace(comparison, a="bad\udcff.jpg", b="x" * 5000, reasons=("y" * 900, "z " * 900))
    assert len(written(explain(pair, odd, tmp_path / "why.html"))) < 1_500_000
    assert Image.open(explain(pair, odd, tmp_path / "why.png")).width == 1200


def test_noise_does_not_swell_the_page(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8)
    pair = Pair(load(noise), load(np.ascontiguousarray(noise[:, ::-1])))
    comparison = Comparison("a", "b", 0.95, "near-duplicate", {}, Transform(flip=True))
    assert explain(pair, comparison, tmp_path / "why.html").stat().st_size < 1_500_000


@pytest.mark.parametrize("shape", [(500, 1, 3), (1, 500, 3), (4, 4, 3), (1, 1, 3), (40, 50, 4), (30, 30)])
@pytest.mark.parametrize("name", ["why.png", "why.html"])
def test_odd_shapes_are_drawn(tmp_path: Path, shape: tuple[int, ...], name: str) -> None:
    random = np.random.default_rng(5)
    a, b = (load(random.integers(0, 256, shape, np.uint8)) for _ in range(2))
    comparison = Comparison("a", "b", 0.5, "different", {}, Transform(rotation=90), details={"note": "odd"})
    assert explain(Pair(a, b), comparison, tmp_path / name).stat().st_size > 1000


def test_identical_pictures(scene: Pixels, tmp_path: Path) -> None:
    pair = Pair(load(scene), load(scene))
    comparison = decide(pair, PRESETS["auto"])
    assert comparison.score == 1
    text = written(explain(pair, comparison, tmp_path / "why.html"))
    assert "identical" in text
    assert "What differs" in text


def test_no_alignment_is_said(scene: Pixels, other_scene: Pixels, tmp_path: Path) -> None:
    pair = Pair(load(scene), load(other_scene))
    comparison = Comparison("a", "b", 0.2, "different", {"look": 0.1})
    text = written(explain(pair, comparison, tmp_path / "why.html"))
    assert "No alignment found" in text
    assert "What differs" not in text


def test_names_stand_in_the_callers_order(scene: Pixels, other_scene: Pixels, tmp_path: Path) -> None:
    """One of the two pairs is swapped inside; both must show their own first picture first."""
    for number, (a, b) in enumerate(((scene, other_scene), (other_scene, scene))):
        comparison = Comparison("first.jpg", "second.jpg", 0.2, "different", {})
        text = written(explain(Pair(load(a), load(b)), comparison, tmp_path / f"{number}.html"))
        size = f"{a.shape[1]}×{a.shape[0]} pixels"
        assert re.search(rf"first\.jpg</span> <span class=\"facts\">{size}", text)


def test_wrong_suffix_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="png"):
        explain(None, None, tmp_path / "why.pdf")  # type: ignore[arg-type]


def test_unwritable_folder(cropped: tuple[Pair, Comparison], tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        explain(*cropped, tmp_path / "missing" / "why.png")
    assert os.listdir(tmp_path) == []

"""A picture pasted into another is found where somebody looks hard, and said to lie where it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import photo

from lookalike import group
from lookalike.collection.candidates import FEW
from lookalike.types import Comparison

PASTED = {0: (20, 30, 0.45), 1: (150, 90, 0.4), 2: (60, 12, 0.5)}
"""Host → left, top and scale of what is pasted into it."""

SIZE = (288, 216)


def folder(at: Path, count: int) -> Path:
    """Photos; the first few have a smaller one pasted in that is there as well."""
    at.mkdir()
    pictures = [Image.fromarray(photo(1000 * number + 7, *SIZE)) for number in range(count)]
    for host, (left, top, scale) in PASTED.items():
        part = pictures[host + len(PASTED)].resize((round(SIZE[0] * scale), round(SIZE[1] * scale)))
        pictures[host].paste(part, (left, top))
    for number, image in enumerate(pictures):
        image.save(at / f"{number:02}.jpg", quality=92)
    return at


def told(pairs: tuple[Comparison, ...]) -> dict[tuple[int, int], Comparison]:
    return {(int(Path(pair.a).stem), int(Path(pair.b).stem)): pair for pair in pairs}


@pytest.mark.parametrize("count", [FEW - 4, FEW + 30])
def test_thorough_finds_what_was_pasted_in(tmp_path: Path, count: int) -> None:
    found = told(group(folder(tmp_path / "in", count), store=tmp_path / "s.db", mode="thorough").pairs)
    assert set(found) <= {(host, host + len(PASTED)) for host in PASTED}
    assert len(found) >= len(PASTED) - 1
    for (host, _), pair in found.items():
        left, top, scale = PASTED[host]
        assert 0.90 <= pair.score < 0.96
        assert str(pair.transform.reversed()).startswith("the first is ") if pair.transform else False
        assert pair.verdict == "near-duplicate"
        assert pair.reasons[0].startswith(("pasted in (about", "cropped to about"))
        assert pair.transform is not None
        assert pair.transform.overlap == pytest.approx(scale**2, abs=0.02)
        assert pair.transform.overlap_other == pytest.approx(1, abs=0.06)
        homography = np.reshape(pair.transform.homography, (3, 3))
        for x, y in ((0, 0), (SIZE[0], 0), SIZE):
            laid = homography @ [x, y, 1]
            np.testing.assert_allclose(laid[:2] / laid[2], [left + scale * x, top + scale * y], atol=3)


def test_a_formula_knows_of_no_pasted_pictures(tmp_path: Path) -> None:
    at = folder(tmp_path / "in", FEW + 30)
    assert group(at, store=tmp_path / "s.db", mode="thorough", preset="fast", threshold=0.99).pairs == ()


def test_a_later_picture_is_looked_for_in_the_earlier_ones_and_the_other_way_round(tmp_path: Path) -> None:
    at = folder(tmp_path / "in", FEW + 30)
    (tmp_path / "new").mkdir()
    for name in ("00.jpg", "04.jpg"):  # a host, and what is pasted into another
        (at / name).rename(tmp_path / "new" / name)
    before = group(at, store=tmp_path / "s.db", mode="thorough")
    after = group([at, tmp_path / "new"], store=tmp_path / "s.db", mode="thorough")
    assert len(after.pairs) >= len(before.pairs) + 1
    against = told(group(tmp_path / "new", against=at, store=tmp_path / "s.db", mode="thorough").pairs)
    assert {(0, 3), (1, 4)} & set(against)
    assert not {(0, 4), (2, 5)} & set(against)


def test_a_few_pictures_are_remembered_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = folder(tmp_path / "in", FEW - 4)
    before = group(at, store=tmp_path / "s.db", mode="thorough")
    monkeypatch.setattr("lookalike.collection.pairing.Pairing.run", lambda *_: pytest.fail("compared again"))
    assert group(at, store=tmp_path / "s.db", mode="thorough").pairs == before.pairs

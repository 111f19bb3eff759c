"""The accuracy page is what its script makes of the rows beside it, and shows what it names."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "accuracy.md"
LARGEST = 60_000


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])


def test_the_page_is_what_the_rows_say() -> None:
    from accuracy_page import page
    from accuracy_rows import Read

    assert PAGE.read_text(encoding="utf-8") == page(Read()), "run python benchmarks/accuracy_page.py"


def test_every_figure_says_whether_it_was_reached() -> None:
    from accuracy_rows import Read

    text = PAGE.read_text(encoding="utf-8").partition("## Figures to reach")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= len(Read().rows("accuracy", table="figures")) > 0
    assert all(row.rstrip(" |").endswith(("reached", "**missed**")) for row in rows)


def test_pictures_of_the_page_are_there_and_small() -> None:
    shown = set(re.findall(r"\]\(images/(accuracy-[^)]+)\)", PAGE.read_text(encoding="utf-8")))
    there = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").glob("accuracy-*")}
    assert shown == set(there)
    assert all(size <= LARGEST for size in there.values())
    assert "Copyright (c) 2019 Marcus Klasson" in " ".join(PAGE.read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.99999, "99.9 %"), (0.0, "0 %"), (0.0001, "0.1 %"), (0.5, "50 %")]
)
def test_not_all_is_never_shown_as_all(share: float, text: str) -> None:
    from accuracy_rows import percent

    assert percent(share) == text

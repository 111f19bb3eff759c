"""The scale page is what its script makes of the rows beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "scale.md"


def test_the_page_is_what_the_rows_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    from scale_page import page

    assert PAGE.read_text(encoding="utf-8") == page(), "run python benchmarks/scale_page.py"


def test_every_figure_says_whether_it_was_reached() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## Figures to reach")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 20
    assert all(row.rstrip(" |").endswith(("reached", "**missed**")) for row in rows)

"""One HTML page that stands alone: no script, no server, no network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path

from lookalike.errors import printable
from lookalike.files import appearing_whole, cannot_write
from lookalike.lab.report import charts


def write_page(path: Path, title: str, headline: str, summary: str, body: Iterable[str]) -> Path:
    """Write a page piece by piece; it appears whole, an older one stays until then.

    A policy in the page shuts out every script and every request.

    Args:
        path: where to.
        title, headline, summary: as text, whatever they contain.
        body: pieces of HTML.

    Raises:
        OutputError: the file cannot be written.
    """
    style = charts.style() + asset("evaluation.css")
    texts = {
        "title": escape(printable(title)),
        "policy": _policy(style),
        "style": style,
        "headline": escape(headline),
        "summary": escape(summary),
    }
    before, after = asset("evaluation.html").split("{{body}}")
    with appearing_whole(path) as raw, cannot_write(path):
        raw.write(_filled(before, texts).encode())
        for piece in body:
            raw.write(piece.encode())
        raw.write(_filled(after, texts).encode())
    return path


def figure(title: str, drawn: str, said: str) -> str:
    """A chart with its title above and what it says below."""
    above = f"<h3>{escape(title)}</h3>" if title else ""
    return f'<figure class="drawn">{above}{drawn}<figcaption>{escape(said)}</figcaption></figure>'


def asset(name: str) -> str:
    """A file of the page as text."""
    return files("lookalike.lab.report").joinpath("page", name).read_text(encoding="utf-8")


def _filled(template: str, texts: Mapping[str, str]) -> str:
    """``template`` with every {{name}} replaced, in one pass: what is put in is not looked at again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: texts[found[1]], template)


def _policy(style: str) -> str:
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"

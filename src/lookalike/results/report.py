"""The groups as one HTML file that stands alone: thumbnails and all are inside, and no request leaves it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path

from lookalike.errors import printable
from lookalike.files import appearing_whole, cannot_write
from lookalike.images.limits import Limits
from lookalike.results.report_data import as_json, escaped, shown
from lookalike.results.thumbnails import side_for, thumbnails
from lookalike.types import Grouping, PictureFile

SCRIPTS = ("data.js", "views.js", "cards.js", "list.js", "look.js", "decisions.js", "controls.js")
"""Parts of the page's one script, in their order."""

BLOCK = 256
"""Thumbnails in one script element: the page reads an element only when a picture of it comes into view."""

_DEFAULT = Limits()


def write_report(
    grouping: Grouping,
    path: str | os.PathLike[str],
    *,
    title: str = "Pictures that look alike",
    limits: Limits = _DEFAULT,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a page that shows ``grouping``, to be opened in any browser, without a server and without a network.

    It shows groups, pairs and failures, filters them by score and by name, lays a pair side by side, and lets people
    mark pairs that are not the same. Names and titles are shown as text whatever they contain; a policy in the page
    shuts out every script but its own and every request. Links to the files are relative to the page. A picture that
    cannot be read any more is shown as an empty frame.

    Args:
        grouping: what was found; only pictures in groups or pairs get a thumbnail, each one.
        path: where to write; the file appears whole, an older one stays until then.
        title: heading of the page.
        limits: what reading one picture may cost.
        progress: called with the number of thumbnails done and their total after every one.

    Returns:
        Where it was written.

    Raises:
        OutputError: the file cannot be written.
    """
    file = Path(path)
    pictures = shown(grouping)
    with appearing_whole(file) as raw, cannot_write(file):
        for piece in _page(grouping, pictures, file.parent, title, _counted(pictures, limits, progress)):
            raw.write(piece.encode())
    return file


def _counted(
    pictures: list[PictureFile], limits: Limits, progress: Callable[[int, int], None] | None
) -> Iterator[bytes | None]:
    for done, made in enumerate(thumbnails(pictures, side_for(len(pictures)), limits), 1):
        yield made
        if progress is not None:
            progress(done, len(pictures))


def _page(
    grouping: Grouping, pictures: list[PictureFile], folder: Path, title: str, made: Iterator[bytes | None]
) -> Iterator[str]:
    """The page in pieces, thumbnails last: they are never all in memory."""
    template, style = _asset("report.html"), _asset("report.css")
    script = '"use strict";\n' + "".join(map(_asset, SCRIPTS))
    before, after = template.split("{{data}}")
    texts = {
        "title": escape(printable(title)),
        "policy": _policy(style, script),
        "style": style,
        "script": script,
    }
    yield _filled(before, texts)
    yield '<script type="application/json" id="data">'
    yield from as_json(grouping, pictures, folder)
    yield "</script>\n"
    for block in _blocks(made):
        yield f'<script type="application/json" class="thumbnails">{escaped(block)}</script>\n'
    yield _filled(after, texts)


def _asset(name: str) -> str:
    return files("lookalike.results").joinpath("page", name).read_text(encoding="utf-8")


def _filled(template: str, texts: Mapping[str, str]) -> str:
    """``template`` with every {{name}} replaced, in one pass: what is put in is not looked at again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: texts[found[1]], template)


def _policy(style: str, script: str) -> str:
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    style_hash, script_hash = hashes
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _blocks(made: Iterator[bytes | None]) -> Iterator[list[str | None]]:
    block: list[str | None] = []
    for jpeg in made:
        block.append(None if jpeg is None else base64.b64encode(jpeg).decode())
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block

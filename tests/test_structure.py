"""The house: one door, arrows in one direction, rooms of a human size, and one room that talks to the network."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import lookalike

SOURCE = Path(lookalike.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
ROOMS = [
    "errors",
    "verdicts",
    "types",
    "optional",
    "files",
    "threads",
    "images",
    "features",
    "scoring",
    "explain",
    "collection",
    "index",
]
ROOMS += ["api", "pairs", "catalogue", "scores", "results", "lab", "progress", "console", "listing", "commands"]
ROOMS += ["cli", "__main__"]
"""Every room may import those before it, never those after it."""


def imports(file: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names


def room(parts: tuple[str, ...]) -> str:
    return parts[0].removesuffix(".py")


def test_the_door_shows_what_it_says() -> None:
    assert len(set(lookalike.__all__)) == len(lookalike.__all__)
    assert set(lookalike._HOMES) == set(lookalike.__all__)
    for name in lookalike.__all__:
        assert getattr(lookalike, name) is not None
    assert set(lookalike.__all__) <= set(dir(lookalike))


def test_rooms_import_only_rooms_before_them() -> None:
    for file in FILES:
        here = room(file.relative_to(SOURCE).parts)
        if here == "__init__":
            continue
        assert here in ROOMS, f"{here} is a new room: give it a place in the order"
        for name in imports(file):
            if name.startswith("lookalike."):
                there = room(tuple(name.split(".")[1:]))
                if (here, there) == ("types", "results"):
                    continue  # a Grouping opens that door only when it is asked for a table
                assert ROOMS.index(there) <= ROOMS.index(here), f"{file.name} imports {name}"


def test_no_file_is_larger_than_a_person_reads() -> None:
    sizes = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert max(sizes.values()) <= 500, max(sizes, key=lambda name: sizes[name])


def test_only_fetch_talks_to_the_network() -> None:
    clients = {"httpx", "h11", "httpcore", "requests", "urllib3", "aiohttp", "urllib.request", "http.client", "ssl"}
    for file in FILES:
        if file.name != "fetch.py":
            assert not clients & set(imports(file)), file


def test_importing_brings_nothing_heavy() -> None:
    code = "import sys, lookalike; print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"numpy", "PIL", "cv2", "onnxruntime", "skimage", "scipy", "imagehash", "torch", "typer", "rich", "httpx"}
    assert not heavy & set(output.split())

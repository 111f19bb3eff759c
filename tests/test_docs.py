"""What the documents say is so: every command, option, preset, method, error and file they name exists, and back."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from test_cli import call

from lookalike import PRESETS, LookalikeError
from lookalike.features.base import REGISTRY

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_command_and_option_is_in_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^  (\w+) ", call(capsys, "--help")[1].split("Commands:")[1], re.MULTILINE)
    assert {"compare", "methods", "presets", "models"} <= set(commands)
    for command in commands:
        assert f"lookalike {command}" in GUIDE
        for option in re.findall(r"--[a-z][a-z-]+", call(capsys, command, "--help")[1]):
            assert option in GUIDE, f"{command} {option}"


def test_every_option_of_the_guide_exists(capsys: pytest.CaptureFixture[str]) -> None:
    helped = call(capsys, "compare", "--help")[1] + call(capsys, "--help")[1]
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", GUIDE + README)):
        assert option in helped, option


@pytest.mark.parametrize("name", [*PRESETS, *REGISTRY])
def test_every_preset_and_method_is_in_the_guide(name: str) -> None:
    assert f"`{name}`" in GUIDE


def test_every_error_is_in_the_guide_with_its_exit_code() -> None:
    def tree(kind: type[LookalikeError]) -> list[type[LookalikeError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in tree(child))]

    cells = [cell.strip() for line in GUIDE.splitlines() if line.startswith("| ") for cell in line.split("|")]
    codes = {
        name: int(code) for code, names in pairwise(cells) if code.isdigit() for name in re.findall(r"`(\w+)`", names)
    }
    assert codes == {kind.__name__: kind.exit_code for kind in tree(LookalikeError) if kind is not LookalikeError}


def test_commands_shown_in_the_readme_print_what_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    shown = re.findall(r"^    \$ lookalike (compare examples/\S+ examples/\S+)\n    (\S.*)$", README, re.MULTILINE)
    assert len(shown) >= 3
    for command, output in shown:
        assert call(capsys, *shlex.split(command))[1].strip() == output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readme_shows_one_command_to_run_and_one_to_test() -> None:
    commands = re.findall(r"^    (python3 -m venv \S+ && .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert "lookalike compare examples/" in commands[0]
    assert commands[1].endswith("-m pytest")

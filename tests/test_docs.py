"""What the documents say is so: every command, option, preset, method, error and file they name exists, and back."""

from __future__ import annotations

import re
import shlex
import textwrap
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


def helps(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Every command with its help, those below another as ``"store info"``."""
    found = {"": call(capsys, "--help")[1]}
    waiting = [""]
    while waiting:
        above = waiting.pop()
        for name in re.findall(r"^  (\w+) ", found[above].partition("Commands:")[2], re.MULTILINE):
            command = f"{above} {name}".strip()
            found[command] = call(capsys, *command.split(), "--help")[1]
            waiting.append(command)
    return found


def test_every_command_and_option_is_in_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    found = helps(capsys)
    assert {"compare", "group", "store prune", "apply", "undo", "decide", "models"} <= set(found)
    for command, text in found.items():
        assert f"lookalike {command}" in GUIDE
        for option in re.findall(r"--[a-z][a-z-]+", text):
            assert option in GUIDE, f"{command} {option}"


def test_every_option_of_the_guide_exists(capsys: pytest.CaptureFixture[str]) -> None:
    helped = " ".join(helps(capsys).values())
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", GUIDE + README)):
        assert re.search(rf"{option}(?![\w-])", helped), option


def test_options_in_commands_of_the_documents_belong_to_them(capsys: pytest.CaptureFixture[str]) -> None:
    found = helps(capsys)
    shown = re.findall(r"lookalike ([a-z]+(?: [a-z]+)?)([^`\n|]*)", GUIDE + README)
    for words, rest in shown:
        command = words if words in found else words.split()[0]
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest) if command in found else []:
            assert re.search(rf"{option}(?![\w-])", found[command]), f"{command} {option}"


@pytest.mark.parametrize("name", [*PRESETS, *REGISTRY])
def test_every_preset_and_method_is_in_the_guide(name: str) -> None:
    assert f"`{name}`" in GUIDE


def test_every_threshold_of_the_default_preset_is_in_the_guide() -> None:
    for name in PRESETS["auto"].thresholds:
        assert f"`{name.removesuffix('_doubt')}`" in GUIDE


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


def test_the_folder_of_the_readme_gives_what_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    command, output = re.findall(
        r"^    \$ lookalike (group examples/folder)\n((?:    .*\n|\n)+)", README, re.MULTILINE
    )[0]
    code, out, err = call(capsys, *shlex.split(command), "--no-store")
    assert code == 0
    assert _without_seconds(out + err) == _without_seconds(textwrap.dedent(output))


def _without_seconds(text: str) -> str:
    return re.sub(r"\d+\.\d s$", "", text.strip(), flags=re.MULTILINE)


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

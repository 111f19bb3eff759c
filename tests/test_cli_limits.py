"""What a picture may cost: options of every command that reads pictures, and what the library is told by them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import typer
from test_cli import SHIRT, call

from lookalike.cli import app
from lookalike.commands.limited import limited
from lookalike.errors import LimitExceeded
from lookalike.images.limits import Limits

FILES = {"max_bytes", "max_pixels", "max_side", "max_scans"}
EVERYTHING = {field.name: field.default for field in fields(Limits)}


def options_of(*names: str) -> dict[str, Any]:
    command: Any = typer.main.get_command(app)
    for name in names:
        command = command.commands[name]
    return {option.name: option.default for option in command.params if option.name in EVERYTHING}


@pytest.mark.parametrize("names", ["compare", "evaluate", "calibrate", "search", "index build", "index add"])
def test_every_limit_is_an_option_with_the_default_of_the_library(names: str) -> None:
    assert options_of(*names.split()) == EVERYTHING


@pytest.mark.parametrize("names", ["group", "edits", "train"])
def test_where_no_url_is_read_the_limits_of_files_are(names: str) -> None:
    assert options_of(names) == {name: EVERYTHING[name] for name in FILES}


def test_what_is_said_arrives() -> None:
    told: list[Limits] = []

    @limited(urls=True)
    def command(name: str, quiet: bool = False, *, limits: Limits) -> None:
        told.append(limits)

    own = typer.Typer()
    own.command()(command)
    given = ["a", "--max-bytes", "7", "--max-side", "8", "--total-seconds", "0.5", "--allow-private-hosts"]
    typer.main.get_command(own)(given, standalone_mode=False)
    assert told == [Limits(max_bytes=7, max_side=8, total_seconds=0.5, allow_private_hosts=True)]
    with pytest.raises(typer.BadParameter):
        typer.main.get_command(own)(["a", "--max-scans", "0"], standalone_mode=False)


def test_a_picture_over_the_limit_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "compare", SHIRT, SHIRT, "--max-pixels", "100")
    assert code == LimitExceeded.exit_code
    assert "raise --max-pixels to read it anyway" in err

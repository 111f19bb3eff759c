"""The command line, as whole processes and in this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike import LookalikeError, errors
from lookalike.cli import main

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
SHIRT, CROPPED = str(EXAMPLES / "shirt.jpg"), str(EXAMPLES / "shirt-cropped.jpg")


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", "lookalike", *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        cwd=cwd,
        env=environment,
    )


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


def test_the_first_command_of_the_readme() -> None:
    done = run("compare", "examples/shirt.jpg", "examples/shirt-cropped.jpg", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.strip()
    assert shown in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "near-duplicate" in shown
    assert done.stderr == ""
    assert "\x1b" not in done.stdout  # no colour in a pipe


def test_json_is_the_whole_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "compare", SHIRT, CROPPED, "--preset", "hybrid", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["preset"] == "hybrid"
    assert set(found["parts"]) >= {"hsv", "ssim", "embedding"}
    assert 0 <= found["score"] <= 1


def test_quiet_prints_the_score_alone(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = call(capsys, "compare", SHIRT, SHIRT, "-q")
    assert (out, err) == ("1.0000\n", "")


@pytest.mark.parametrize("name", ["ssim", "phash", "orb", "style"])
def test_one_method_alone(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = call(capsys, "compare", SHIRT, CROPPED, "--method", name, "--json")
    assert code == 0
    assert list(json.loads(out)["parts"]) == [name]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["compare", "nowhere.jpg", SHIRT], errors.SourceNotFound.exit_code, "nowhere.jpg"),
        (["compare", str(EXAMPLES), SHIRT], errors.SourceUnreadable.exit_code, "directory"),
        (["compare", str(ROOT / "README.md"), SHIRT], errors.UnsupportedFormat.exit_code, "README.md"),
        (["compare", "http://127.0.0.1/a.jpg", SHIRT], errors.BlockedURL.exit_code, "--allow-private-hosts"),
        (["compare", "ftp://example.com/a.jpg", SHIRT], errors.BlockedURL.exit_code, "http"),
        (["compare", SHIRT, CROPPED, "--preset", "outo"], 2, "did you mean 'auto'"),
        (["compare", SHIRT, CROPPED, "--method", "sim"], 2, "did you mean"),
        (["compare", SHIRT], 2, "two pictures"),
        (["compare", SHIRT, CROPPED, "--weight", "phash"], 2, "NAME=NUMBER"),
        (["compare", SHIRT, CROPPED, "--max-pixels", "1000"], errors.LimitExceeded.exit_code, "--max-pixels"),
        (["compare", SHIRT, CROPPED, "--wat"], 2, "--wat"),
        (["compare", SHIRT, CROPPED, "--method", "ssim", "--preset", "fast"], 2, "method"),
        (["compare", SHIRT, CROPPED, "--explain", "reasons.xyz"], 2, "reasons.xyz"),
    ],
)
def test_mistakes_get_one_line_and_their_own_exit_code(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    found, out, err = call(capsys, *arguments)
    assert found == code
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert words in err
    found, out, err = call(capsys, *arguments, "--json")
    assert found == code
    assert err == ""
    error = json.loads(out)["error"]
    assert error["exit_code"] == code
    assert words in f"{error.get('source', '')} {error['reason']} {error['remedy']}"


def test_every_error_class_has_its_own_exit_code() -> None:
    def tree(kind: type[LookalikeError]) -> list[type[LookalikeError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in tree(child))]

    codes = {}
    for kind in tree(LookalikeError):
        if not issubclass(kind, errors.UsageError):
            assert kind.exit_code not in codes, kind
            codes[kind.exit_code] = kind
        drawn = f"{kind.__name__}"
        assert drawn in (errors.__doc__ or "")
        line = next(line for line in (errors.__doc__ or "").splitlines() if f" {drawn} " in f" {line} ")
        assert f"exit {kind.exit_code} " in line
        assert f"HTTP {kind.http_status}" in line


def test_a_hostile_file_name_cannot_forge_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(tmp_path / "a\nerror: forged\x1b[31m.jpg")
    _, _, err = call(capsys, "compare", name, SHIRT)
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_nothing_is_written_where_nothing_was_asked(tmp_path: Path) -> None:
    done = run("compare", SHIRT, CROPPED, cwd=tmp_path)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["methods", "presets", "models"])
def test_lists(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = call(capsys, command)
    assert code == 0
    code, as_json, _ = call(capsys, command, "--json")
    for row in json.loads(as_json):
        assert row["name"] in out


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert "compare" in call(capsys, "--help")[1]
    assert call(capsys, "--version")[1].startswith("lookalike ")
    helped = call(capsys, "compare", "--help")[1]
    assert "--explain" in helped


def test_the_script_prints_the_score_alone() -> None:
    script = ROOT / "src" / "tools" / "image_similarity.py"
    done = subprocess.run(
        [sys.executable, str(script), SHIRT, CROPPED], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert 0.9 <= float(done.stdout) < 1
    missing = subprocess.run(
        [sys.executable, str(script), "none.jpg", SHIRT], capture_output=True, text=True, timeout=60
    )
    assert missing.returncode == errors.SourceNotFound.exit_code
    assert "none.jpg" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_explain_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("why.png", "why.html"):
        code, _, err = call(capsys, "compare", SHIRT, CROPPED, "--explain", str(tmp_path / name))
        assert code == 0
        assert name in err
        assert (tmp_path / name).stat().st_size > 10_000

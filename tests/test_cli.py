"""The command line, as whole processes and in this one."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike import LookalikeError, errors
from lookalike.cli import main
from lookalike.console import styled
from lookalike.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
SHIRT, CROPPED = str(EXAMPLES / "shirt.jpg"), str(EXAMPLES / "shirt-cropped.jpg")


def run(*arguments: str, cwd: Path | None = None, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    # PYTHONUTF8 would win over a locale, and so hide what a Windows pipe does
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-m", "lookalike", *arguments],
        capture_output=True,
        encoding="cp1252" if encoding == "cp1252" else "utf-8",
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
        (["compare", SHIRT, CROPPED, "--out", "scores.csv"], 2, "--pairs"),
        (["compare", "--pairs", "p.csv", "--parts"], 2, "--out scores.csv"),
        (["compare", "--pairs", "p.csv", "--parts", "--out", "s.csv"], 2, "leave it out"),
        (["compare", "--pairs", "p.csv", "--explain", "why.png"], 2, "--explain"),
        (["compare", SHIRT, CROPPED, "--preset", "fast", "--size", "128"], 2, "'fast' does not use"),
        (["compare", SHIRT, CROPPED, "--method", "phash", "--model", "x.onnx"], 2, "'phash' does not use"),
        (["compare", SHIRT, CROPPED, "--method", "phash", "--preset-file", "x.toml"], 2, "--preset-file"),
        (["a.jpg", "b.jpg"], 2, "did you mean `lookalike compare a.jpg b.jpg`?"),
        (["comapre", "a.jpg", "b.jpg"], 2, "compare"),
        ([str(EXAMPLES)], 2, "did you mean `lookalike group"),
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


def test_help_brings_nothing_heavy() -> None:
    code = (
        "import sys\nfrom lookalike.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    for arguments in (["--help"], ["group", "--help"], ["store"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert not {"numpy", "PIL", "cv2", "onnxruntime", "scipy", "sqlite3"} & set(done.stderr.split())


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


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["methods"],
        ["presets"],
        ["models"],
        ["--help"],
        ["compare", "--help"],
        ["compare", SHIRT, CROPPED, "--method", "phash", "--parts"],
        ["compare", "--pairs", "p.csv", "--method", "phash"],
    ],
    ids=" ".join,
)
def test_a_pipe_of_any_encoding_is_written_to(tmp_path: Path, encoding: str, arguments: list[str]) -> None:
    shutil.copy(SHIRT, tmp_path / "シャツ.jpg")
    (tmp_path / "p.csv").write_text("a,b\nシャツ.jpg,シャツ.jpg\n", encoding="utf-8")
    done = run(*arguments, cwd=tmp_path, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
    if encoding == "cp1252" and "--pairs" in arguments:
        assert r"\u30b7\u30e3\u30c4.jpg" in done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_errors_fit_any_encoding(encoding: str) -> None:
    done = run("compare", "シャツ.jpg", SHIRT, encoding=encoding)
    assert done.returncode == errors.SourceNotFound.exit_code
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys)
    assert (code, err) == (0, "")
    assert "Commands:" in out


def test_options_that_would_do_nothing_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "compare", SHIRT, SHIRT, "--parts", "--quiet")
    assert (code, out) == (2, "")
    assert "--parts" in err
    own = tmp_path / "own.toml"
    own.write_text("[preset.mine]\nweights = { phash = 1.0 }\n", encoding="utf-8")
    code, _, err = call(capsys, "compare", SHIRT, SHIRT, "--preset-file", str(own))
    assert code == 2
    assert "--preset: mine" in err
    code, out, _ = call(capsys, "compare", SHIRT, SHIRT, "--preset-file", str(own), "--preset", "mine", "-q")
    assert (code, out) == (0, "1.0000\n")


def test_json_has_the_parts_asked_for_or_not(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "compare", SHIRT, SHIRT, "--json", "--quiet", "--parts", "--method", "phash")
    assert code == 0
    assert json.loads(out)["parts"] == {"phash": 1.0}


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_can_be_declined(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b" in styled("0.97", bold=True)) == coloured
    assert "0.97" in styled("0.97", bold=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_shows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress(quiet=False) as progress:
        for done in range(41):
            progress.tell("reading", done, 40)
    assert re.search(r"reading.*40/40.*\d/s.*0:00:00.*left", terminal.getvalue())
    with Progress(quiet=False) as progress:
        progress.tell("reading", 40, 40)
        progress.tell("looking for candidates", 0)
    assert "looking for candidates" in terminal.getvalue()


def test_progress_elsewhere_is_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr("lookalike.progress.time.monotonic", lambda: now[0])
    with Progress(quiet=False) as progress:
        for done in range(7):
            now[0] = 2.0 * done
            progress.tell("reading", done, 8)
        now[0] = 20
        progress.tell("looking for candidates", 0)
        now[0] = 21
        progress.tell("reading", 100, 200)  # a stage that begins in the middle
        now[0] = 31
        progress.tell("reading", 150, 200)
    assert capsys.readouterr().err.splitlines() == [
        "reading: 3 of 8, 0.5/s, 10 s left",
        "reading: 6 of 8, 0.5/s, 4 s left",
        "looking for candidates",
        "reading: 150 of 200, 5.0/s, 10 s left",
    ]
    with Progress(quiet=True) as progress:
        now[0] = 90
        progress.tell("reading", 1, 8)
    assert capsys.readouterr().err == ""

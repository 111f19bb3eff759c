"""lookalike group and what goes with it: store, apply, undo, decide."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli import Terminal, call
from test_docs import helps

from lookalike import Grouping, errors
from lookalike import group as group_pictures
from lookalike.commands.groups_shown import GROUPS, MEMBERS, show_groups, summary, told
from lookalike.commands.store import byte_count
from lookalike.types import Comparison, Group, Member, PictureFile, Transform

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "folder"
PICTURES = sorted(path.name for path in FOLDER.iterdir() if path.name != "upload-cut-off.jpg")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example folder, beside which things may be written; the store is named nowhere by default."""
    monkeypatch.setenv("LOOKALIKE_STORE", str(tmp_path / "store.sqlite3"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FOLDER, tmp_path / "photos")
    return Path("photos")


@pytest.fixture(scope="module")
def found() -> Grouping:
    return group_pictures(FOLDER, store=False, group_by="cluster")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_groups_are_listed_with_what_was_done_to_each(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos/notes.txt").write_text("no picture", encoding="utf-8")
    code, out, err = call(capsys, "group", "photos", "--no-store")
    assert code == 0
    assert re.search(r"^  0\.9\d  photos/dress-mirrored\.jpg +mirrored$", out, re.MULTILINE)
    assert re.search(r"^  0\.9\d  photos/dress-cropped\.jpg +cropped to about 5\d %$", out, re.MULTILINE)
    assert re.search(r"^  0\.9\d  photos/sandals(-turned)?\.jpg +turned by \d+°$", out, re.MULTILINE)
    assert "  1.00  photos/tee.jpg  the same file\n" in out
    assert "polo" not in out  # nothing is like it
    assert "photos/upload-cut-off.jpg: this JPEG cannot be decoded" in err
    said = (
        r"^12 pictures, 4 groups, 10 pairs at 0\.9 or over, 1 file failed, 1 file of other kinds passed over, \d+\.\d s"
    )
    assert re.search(said, err, re.MULTILINE)
    assert "\x1b" not in out + err
    assert os.listdir() == ["photos"]  # nothing is written, no store either


def test_the_second_run_knows_the_pictures(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = call(capsys, "group", "photos", "--store", "own.db")
    second = call(capsys, "group", "photos", "--store", "own.db")
    assert first[1] == second[1]
    assert "known" not in first[2]
    assert "13 known from an earlier run" in second[2]
    assert "upload-cut-off.jpg: this JPEG" in second[2]
    assert not os.path.exists("store.sqlite3")


def test_everything_is_written_where_it_was_asked_for(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(
        capsys, "group", "photos", "--no-store", "--out", "photos/result", "--json", "pairs.jsonl", "--table", "p.csv",
        "--report", "report.html", "--failures", "failures.jsonl",
    )  # fmt: skip
    assert (code, out) == (0, "")
    for name in ("pairs.jsonl", "p.csv", "report.html", "photos/result"):
        assert name in err
    pairs = [json.loads(line) for line in Path("pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(pairs) == 10
    assert {"a", "b", "score", "verdict", "transform", "parts"} <= set(pairs[0])
    assert len(Path("p.csv").read_text(encoding="utf-8").splitlines()) == 11
    assert "<title>" in Path("report.html").read_text(encoding="utf-8")
    [failure] = [json.loads(line) for line in Path("failures.jsonl").read_text(encoding="utf-8").splitlines()]
    assert failure["kind"] == "DecodeFailed"
    names = sorted(os.listdir("photos/result/dress.jpg"))
    assert names[0] == "00_base__dress.jpg"
    assert [name[9:] for name in names[1:]] == ["dress-mirrored.jpg", "dress-cropped.jpg"]
    # the result is no source of the next run, by whatever pattern it is named
    again = call(capsys, "group", "photos/**/*", "--no-store", "--out", "photos/result")
    assert again[0] == 0
    assert "12 pictures" in again[2]


def test_a_dry_run_says_what_it_would_do_and_touches_nothing(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "group", "photos", "--no-store", "--out", "result", "--action", "move", "--dry-run")
    assert code == 0
    assert re.search(
        r"^move  photos/tee\.jpg  ->  result/tee\.jpg/00_base__tee\.jpg$", out.replace("\\", "/"), re.MULTILINE
    )
    assert "nothing was placed" in err
    assert not os.path.exists("result")
    assert sorted(os.listdir("photos")) == sorted([*PICTURES, "upload-cut-off.jpg"])


@pytest.mark.parametrize(("action", "same"), [("hardlink", True), ("copy", False)])
def test_actions(photos: Path, capsys: pytest.CaptureFixture[str], action: str, same: bool) -> None:
    code, _, err = call(capsys, "group", "photos", "--no-store", "--out", "result", "--action", action)
    assert code == 0, err
    assert os.path.samefile("photos/tee.jpg", "result/tee.jpg/00_base__tee.jpg") == same


def test_pairs_on_stdout_are_json_lines_and_nothing_else(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "group", "photos", "--no-store", "--json", "-", "--quiet")
    assert (code, err) == (0, "")
    assert len([json.loads(line) for line in out.splitlines()]) == 10
    code, out, err = call(capsys, "group", "nowhere", "--json", "-")
    assert (code, err) == (errors.SourceNotFound.exit_code, "")
    assert json.loads(out)["error"]["kind"] == "SourceNotFound"


def test_against_compares_with_the_reference_only(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkdir("new")
    shutil.copy("photos/dress-mirrored.jpg", "new/one.jpg")
    shutil.copy("photos/dress-cropped.jpg", "new/two.jpg")
    code, out, _ = call(capsys, "group", "new", "--against", "photos", "--no-store", "--json", "-", "-q")
    assert code == 0
    pairs = [json.loads(line) for line in out.splitlines()]
    assert pairs
    for pair in pairs:
        assert sorted(os.path.dirname(pair[side]) for side in "ab") == ["new", "photos"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "SOURCES"),
        (["nowhere"], errors.SourceNotFound.exit_code, "nowhere"),
        (["photos", "--threshold", "1.5"], 2, "threshold"),
        (["photos", "--threshold", "phash=0.9"], 2, "--threshold"),
        (["photos", "--group-by", "colour"], 2, "cluster"),
        (["photos", "--quick", "--thorough"], 2, "--thorough"),
        (["photos", "--store", "a.db", "--no-store"], 2, "--no-store"),
        (["photos", "--preset", "outo"], 2, "did you mean 'auto'"),
        (["photos", "--action", "move"], 2, "--out"),
        (["photos", "--dry-run"], 2, "--out"),
        (["photos", "--out", "result", "--action", "burn"], 2, "hardlink"),
        (["photos", "--keep", "best"], 2, "--plan plan.json"),
        (["photos", "--plan-action", "delete"], 2, "--plan plan.json"),
        (["photos", "--keep", "worst", "--plan", "p.json"], 2, "best"),
        (["photos", "--plan", "p.json", "--plan-action", "burn"], 2, "trash"),
        (["photos", "--plan", "p.txt"], 2, ".json"),
        (["photos", "--plan", "p.json", "--out", "r", "--action", "move"], 2, "moved"),
        (["photos", "--plan", "others.json"], errors.OutputError.exit_code, "something else"),
        (["photos", "--report", "r.pdf"], 2, ".html"),
        (["photos", "--report", "none/r.html"], errors.OutputError.exit_code, "no folder 'none'"),
        (["photos", "--json", "p.xlsx"], 2, ".csv"),
        (["photos", "--json", "none/p.csv"], errors.OutputError.exit_code, "no folder 'none'"),
        (["photos", "--json", "x.json", "--plan", "./x.json"], 2, "twice"),
        (["photos", "--table", "-", "--out", "r", "--dry-run"], 2, "both print"),
        (["photos", "--failures", "photos"], 2, ".txt"),
        (["@list.txt", "--failures", "list.txt"], 2, "twice"),
        (["photos", "--out", "others.json"], errors.OutputError.exit_code, "no folder"),
        (["photos", "--out", "full"], errors.OutputError.exit_code, "not empty"),
        (["photos", "--out", "photos"], 2, "its own source"),
        (["photos", "--out", "."], 2, "its own source"),
        (["empty"], errors.PictureError.exit_code, "no picture"),
        (["photos/upload-cut-off.jpg", "-q"], errors.PictureError.exit_code, "1 file failed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_line_before_any_work(
    photos: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    os.makedirs("full/of/things")
    os.mkdir("empty")
    Path("others.json").write_text('{"name": "a package"}', encoding="utf-8")
    Path("list.txt").write_text("photos/tee.jpg\n", encoding="utf-8")
    before = sorted(os.listdir())
    found, out, err = call(capsys, "group", *arguments)
    assert (found, out) == (code, "")
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert words in err
    assert [name for name in sorted(os.listdir()) if not name.startswith("store.sqlite3")] == before
    if code in (2, errors.OutputError.exit_code):
        assert not os.path.exists("store.sqlite3")


@pytest.mark.skipif(os.name == "nt" or (hasattr(os, "geteuid") and os.geteuid() == 0), reason="root may write anywhere")
def test_a_place_that_may_not_be_written_is_said_before_any_work(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkdir("locked")
    os.chmod("locked", 0o500)
    for option in ("--out=locked/result", "--report=locked/r.html", "--json=locked/p.csv", "--plan=locked/p.json"):
        code, _, err = call(capsys, "group", "photos", option)
        assert code == errors.OutputError.exit_code
        assert "locked" in err
    assert not os.path.exists("store.sqlite3")


def test_a_plan_is_made_carried_out_and_taken_back(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(os.listdir("photos"))
    code, _, err = call(capsys, "group", "photos", "--no-store", "--keep", "best", "--plan", "plan.json")
    assert code == 0
    assert "4 pictures would stay, 7 would go to the trash" in err
    assert "lookalike apply plan.json" in err

    code, out, _ = call(capsys, "apply", "plan.json", "--dry-run")
    assert code == 0
    assert out.count("trash  ") == 7
    assert sorted(os.listdir("photos")) == before

    code, out, err = call(capsys, "apply", "plan.json")
    assert (code, out) == (0, "7 steps done\n")
    assert "lookalike undo plan.json" in err
    assert len([name for name in os.listdir("photos") if not name.startswith(".")]) == len(before) - 7
    assert call(capsys, "apply", "plan.json")[1] == "0 steps done, 7 were done before\n"
    code, _, err = call(capsys, "group", "photos", "--no-store", "--plan", "plan.json")
    assert code == errors.OutputError.exit_code
    assert "carried out" in err

    code, out, _ = call(capsys, "undo", "plan.json", "--json")
    assert code == 0
    assert len(json.loads(out)["restored"]) == 7
    assert sorted(os.listdir("photos")) == before
    assert call(capsys, "undo", "plan.json")[0] == 2


def test_what_is_refused_gives_a_code_of_its_own(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "group", "photos/tee.jpg", "photos/tee (copy).jpg", "--no-store", "--plan", "plan.json", "-q")
    shutil.copy("photos/polo.jpg", "photos/tee.jpg")  # changed since
    code, out, err = call(capsys, "apply", "plan.json")
    assert (code, out) == (errors.PictureError.exit_code, "0 steps done\n")
    assert "1 refused" in err
    assert "tee.jpg" in err
    code, out, _ = call(capsys, "apply", "plan.json", "--json")
    assert code == errors.PictureError.exit_code
    assert json.loads(out)["refused"][0]["kind"] == "PictureChanged"


def test_a_decision_is_honoured_and_can_be_forgotten(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = ("photos/dress.jpg", "photos/dress-mirrored.jpg")
    assert call(capsys, "group", *two, "-q")[1] != ""
    assert call(capsys, "decide", *two, "--different")[0] == 0
    code, out, err = call(capsys, "group", *two)
    assert (code, out) == (0, "")
    assert "no two alike at 0.9" in err
    code, out, err = call(capsys, "decide", "--list")
    assert out.startswith("different  ")
    assert "dress.jpg" in out
    assert "dress-mirrored.jpg" in out
    [row] = json.loads(call(capsys, "decide", "--list", "--json")[1])
    assert {row["a_digest"], row["b_digest"]} == {digest(Path(path)) for path in two}
    assert call(capsys, "decide", *reversed(two), "--forget")[0] == 0
    assert call(capsys, "decide", "--list")[1] == ""
    assert call(capsys, "group", *two, "-q")[1] != ""


def test_decisions_come_from_the_file_that_a_report_saves(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = Path("photos/shorts.jpg"), Path("photos/shorts-grey.webp")
    row = {"a": str(a), "b": str(b), "a_digest": digest(a), "b_digest": digest(b), "decision": "different"}
    Path("decisions.json").write_text(json.dumps([row]), encoding="utf-8")
    code, out, _ = call(capsys, "decide", "--from", "decisions.json", "--store", "own.db", "--json")
    assert code == 0
    assert json.loads(out)["taken"] == 1
    listed = call(capsys, "decide", "--list", "--store", "own.db")[1]
    assert digest(a)[:16] in listed  # no run has read them yet, so that nobody knows where they lie
    assert not os.path.exists("store.sqlite3")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no json", "no decisions"),
        ("{}", "no list"),
        ('[{"a_digest": "00"}]', "'b_digest' is missing"),
        ('[{"a_digest": "00", "b_digest": "00", "decision": "same"}]', "sha256"),
        (json.dumps([{"a_digest": "0" * 64, "b_digest": "1" * 64, "decision": "perhaps"}]), "perhaps"),
        (
            json.dumps(
                [
                    {"a_digest": "0" * 64, "b_digest": "1" * 64, "decision": "different"},
                    {"a_digest": "0" * 64, "b_digest": None, "decision": "different"},
                ]
            ),
            "sha256",
        ),
    ],
)
def test_a_file_of_decisions_is_taken_whole_or_not_at_all(
    photos: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    Path("bad.json").write_text(content, encoding="utf-8")
    code, out, err = call(capsys, "decide", "--from", "bad.json")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert words in err
    assert not os.path.exists("store.sqlite3")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["photos/tee.jpg"], "two pictures"),
        (["photos/tee.jpg", "photos/dress.jpg"], "--different"),
        (["photos/tee.jpg", "photos/dress.jpg", "--different", "--same"], "give one"),
        (["photos/tee.jpg", "photos/tee (copy).jpg", "--different"], "byte by byte"),
        (["photos/tee.jpg", "photos/dress.jpg", "--list"], "exclude"),
        (["--list", "--from", "x.json"], "exclude"),
        (["--list", "--different"], "exclude"),
    ],
)
def test_unclear_decisions(photos: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    code, out, err = call(capsys, "decide", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert not os.path.exists("store.sqlite3")


def test_the_store_is_looked_after(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "store", "info")
    assert code == errors.StoreError.exit_code
    assert "there is no store" in err
    call(capsys, "group", "photos", "-q")
    about = json.loads(call(capsys, "store", "info", "--json")[1])
    assert (about["pictures"], about["failures"], about["files"]) == (12, 1, 13)
    assert "12, 1 of them cannot be used" in call(capsys, "store", "info")[1]
    assert call(capsys, "store", "verify")[1].endswith("read: sound\n")
    assert json.loads(call(capsys, "store", "verify", "--json")[1])["sound"] is True

    code, _, err = call(capsys, "store", "export", "store.jsonl")
    assert code == 0
    assert len(Path("store.jsonl").read_text(encoding="utf-8").splitlines()) == 12
    assert call(capsys, "store", "export", "store.txt")[0] == 2

    assert call(capsys, "store", "prune")[0] == 2
    assert call(capsys, "store", "prune", "--bytes", "5 parsecs")[0] == 2
    os.remove("photos/polo.jpg")
    code, out, _ = call(capsys, "store", "prune", "--entries", "5", "--days", "7", "--vanished", "--json")
    assert code == 0
    assert json.loads(out)["pictures_left"] == 5
    assert "0 pictures taken out, 5 left" in call(capsys, "store", "prune", "--bytes", "1GB")[1]
    code, _, err = call(capsys, "group", "photos")
    assert code == 0
    known = re.search(r"(\d+) known", err)
    assert known is None or int(known[1]) <= 6  # twins are one picture in two files


def test_a_damaged_store_is_told_and_mended(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3

    call(capsys, "group", "photos", "-q")
    with sqlite3.connect("store.sqlite3") as connection:
        connection.execute("UPDATE pictures SET width = width + 1 WHERE id = (SELECT min(id) FROM pictures)")
    connection.close()
    code, out, _ = call(capsys, "store", "verify")
    assert code == errors.StoreError.exit_code
    assert "1 damaged picture" in out
    assert "--repair" in out
    assert call(capsys, "store", "verify", "--repair")[0] == 0
    assert call(capsys, "store", "verify")[0] == 0


@pytest.mark.parametrize(
    ("text", "count"),
    [("5GB", 5 * 10**9), ("2GiB", 2 * 2**30), ("500 mb", 500 * 10**6), ("1.5k", 1500), ("7", 7), ("3Ti", 3 * 2**40)],
)
def test_sizes(text: str, count: int) -> None:
    assert byte_count(text) == count


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_keeps_what_was_read(photos: Path) -> None:
    import numpy as np
    from PIL import Image

    os.mkdir("many")
    noise = np.random.default_rng(0)
    for number in range(400):
        Image.fromarray(noise.integers(0, 256, (240, 240, 3), np.uint8)).save(f"many/{number}.png", compress_level=0)
    command = [sys.executable, "-m", "lookalike", "group", "many", "--store", "own.db"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not os.path.exists("own.db-wal") or os.path.getsize("own.db-wal") < 300_000:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    last = err.splitlines()[-1]  # where the machine is slow, progress was told before
    assert re.fullmatch(r"stopped while .*; the next run goes on from what is in own\.db", last)
    done = subprocess.run([sys.executable, "-m", "lookalike", "store", "info", "--store", "own.db", "--json"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert json.loads(done.stdout)["pictures"] >= 16


def test_one_bad_file_among_many_is_no_error_and_five_are_shown(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(7):
        Path(f"photos/bad\x1b[31m{number}.jpg").write_bytes(b"nothing")
    code, _, err = call(capsys, "group", "photos", "--no-store")
    assert code == 0
    assert "8 could not be used:" in err
    assert "… and 3 more; all with --failures failures.txt" in err
    assert "\x1b" not in err
    assert call(capsys, "group", "photos", "--no-store", "--failures", "f.txt", "-q")[2] == ""
    lines = Path("f.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 8
    assert "\x1b" not in "".join(lines)


def many(groups: int, members: int) -> Grouping:
    made, pairs, pictures = [], [], []
    for number in range(groups):
        base, *others = [f"{number:03}-{each:03}.jpg" for each in range(members + 1)]
        made.append(Group(base, tuple(Member(other, 0.95) for other in others), None))
        pairs += [Comparison(base, other, 0.95, "near-duplicate", {}) for other in others]
        pictures += [PictureFile(path, "", "JPEG", 1, 1, 1, 0) for path in (base, *others)]
    return Grouping(tuple(pictures), tuple(pairs), tuple(made), (), 0.9, "cluster", "default")


def test_the_list_is_whole_in_a_pipe_and_short_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grouping = many(GROUPS + 5, MEMBERS + 3)
    show_groups(grouping)
    whole = capsys.readouterr().out
    assert whole.count(".jpg") == (GROUPS + 5) * (MEMBERS + 4)
    assert "more" not in whole
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    show_groups(grouping)
    assert terminal.getvalue().count(".jpg") == GROUPS * (MEMBERS + 1)
    assert terminal.getvalue().count("… and 3 more\n") == GROUPS
    assert "… and 5 more groups; all of them in a page to look at with --report report.html" in terminal.getvalue()
    assert summary(grouping, 12.34).startswith("350 pictures, 25 groups, 325 pairs at 0.9 or over")


def test_what_was_done_is_said_from_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Comparison("a", "b", 0.95, "near-duplicate", {}, reasons=("the whole pictures agree",))
    pairs = {("a", "b"): pair}
    assert told(Member("b", 0.95), "a", pairs) == told(Member("a", 0.95), "b", pairs) == "the whole pictures agree"
    assert told(Member("c", None), "a", pairs) == "by way of others"
    crop = Transform(homography=(0.5, 0, 0, 0, 0.5, 0, 0, 0, 1.0), overlap=0.5, overlap_other=1.0, inliers=99)
    assert told(Member("b", 0.95, crop), "a", pairs) == "cropped to about 50 %"
    assert told(Member("a", 0.95, crop.reversed()), "b", pairs) == "the base is about 50 % of it"
    assert told(Member("b", 0.95, Transform(flip=True, rotation=90)), "a", pairs) == "mirrored, turned by 90°"


def test_a_grouping_as_plain_values_and_as_tables(found: Grouping) -> None:
    values = json.loads(json.dumps(found.to_dict()))
    assert len(values["pictures"]) == 12
    assert values["groups"][0]["members"][0]["path"] == found.groups[0].members[0].path
    assert values["failures"][0]["kind"] == "DecodeFailed"
    assert values["pairs"][0]["score"] == found.pairs[0].score
    pytest.importorskip("pyarrow")
    assert found.to_arrow().num_rows == len(found.pairs)
    pytest.importorskip("pandas")
    assert list(found.to_pandas()["score"]) == [pair.score for pair in found.pairs]


def test_nothing_but_failures_still_writes_them(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "group", "photos/upload-cut-off.jpg", "--no-store", "--failures", "f.txt")
    assert code == errors.PictureError.exit_code
    assert "upload-cut-off.jpg" in Path("f.txt").read_text(encoding="utf-8")
    assert "pictures," not in err


def test_every_command_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    for command, text in helps(capsys).items():
        assert re.search(r"^  [A-Z][^.]+\.$", text, re.MULTILINE), command
        assert "Traceback" not in text


def test_a_model_that_the_preset_has_no_use_for_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, said = call(capsys, "group", str(tmp_path), "--preset", "fast", "--model", "efficientnet-lite0")
    assert code == 2
    assert "does not use" in said

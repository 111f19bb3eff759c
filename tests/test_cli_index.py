"""lookalike index and lookalike search, as a person types them."""

from __future__ import annotations

import importlib.util
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
from test_cli import call

from lookalike.errors import (
    IndexLocked,
    IndexMismatch,
    IndexNotFound,
    IndexUnreachable,
    PictureError,
    UsageError,
)
from lookalike.index.lock import WriterLock

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "folder"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the example pictures and nothing known of them."""
    monkeypatch.setenv("LOOKALIKE_INDEXES", str(tmp_path / "indexes"))
    monkeypatch.setenv("LOOKALIKE_STORE", str(tmp_path / "store.sqlite3"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FOLDER, tmp_path / "photos")
    return tmp_path


def build(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    return call(capsys, "index", "build", "photos", "--name", "shop", "--workers", "1", *more)


def test_a_folder_is_indexed_and_searched(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = build(capsys)
    assert code == 0
    assert re.match(r"12 added; 12 items in \S+shop \(flat: few enough .*\), \d+\.\d s", out)
    assert "upload-cut-off.jpg" in err
    code, out, err = call(capsys, "search", "photos/dress.jpg", "--name", "shop", "--top", "3")
    assert code == 0
    first, second, third = out.splitlines()
    assert first == "1.00  photos/dress.jpg           identical, the same file"
    assert re.match(r"0\.9\d  photos/dress-mirrored\.jpg  near-duplicate, mirrored", second)
    assert "dress-cropped" in third
    assert re.search(r"3 answers of 12 items, compared by auto, \d", err)
    assert "~" not in out
    out, err = call(capsys, "search", "photos/polo.jpg", "--name", "shop", "--top", "12")[1:]
    assert out.startswith(" 1.00  photos/polo.jpg")
    assert re.search(r"^~0\.\d\d  photos/", out, re.MULTILINE)
    assert "~ told at a glance; --thorough compares all of them closely" in err
    assert "~" not in call(capsys, "search", "photos/polo.jpg", "--top", "12", "--thorough")[1]


def test_the_only_index_need_not_be_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "search", "photos/dress.jpg")
    assert code == IndexNotFound.exit_code
    assert "there is no index yet; make one with `lookalike index build" in err
    build(capsys)
    assert call(capsys, "search", "photos/dress.jpg", "-k", "1")[0] == 0
    call(capsys, "index", "build", "photos/tee.jpg", "--name", "other", "--workers", "1")
    code, _, err = call(capsys, "search", "photos/dress.jpg")
    assert code == UsageError.exit_code
    assert "there are 2 indexes: other, shop; say which with --name" in err


def test_json_quiet_and_facets(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(capsys, "--folder-tags")
    found = json.loads(call(capsys, "search", "photos/tee.jpg", "--json", "--top", "2")[1])
    assert {answer["id"] for answer in found["answers"]} == {"photos/tee.jpg", "photos/tee (copy).jpg"}
    assert [answer["score"] for answer in found["answers"]] == [1.0, 1.0]
    assert found["count"] == 12
    assert set(found["seconds"]) == {"query", "candidates", "comparing", "ordering"}
    assert call(capsys, "search", "photos/tee.jpg", "-q", "--top", "1")[1] == "photos/tee (copy).jpg\n"
    error = json.loads(call(capsys, "search", "photos/none.jpg", "--json")[1])
    assert error["error"]["kind"] == "SourceNotFound"


def test_what_a_table_says_can_be_asked_for_and_weighed_in(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["dress.jpg,red;dress,59.9", "polo.jpg,blue,25", "tee.jpg,red;tee,15", "shorts.jpg,red,"]
    Path("shop.csv").write_text("\n".join(["file,tags,price", *(f"photos/{row}" for row in rows)]), encoding="utf-8")
    call(capsys, "index", "build", "--from", "shop.csv", "--name", "shop", "--workers", "1")

    def found(*more: str) -> set[str]:
        return set(call(capsys, "search", "photos/dress.jpg", "-q", *more)[1].split())

    everything = {f"{row.split(',')[0]}" for row in rows}
    assert found("--where", "price<40") == {"polo.jpg", "tee.jpg"}
    assert found("--where", "price >= 25", "--where", "price!=59.9") == {"polo.jpg"}
    assert found("--where", "colour!=red") == everything
    _, out, err = call(capsys, "search", "photos/dress.jpg", "--tags", "red, tee", "--where", "price<40")
    assert re.search(r"tee\.jpg .* tags 1\.00, price 15  \[red, tee\]", out)
    assert "compared by auto, ordered by 0.7 score + 0.3 tags, " in err
    Path("shop.csv").write_text("file,tags\nphotos/dress.jpg,red\nphotos/tee.jpg,red\n", encoding="utf-8")
    out = call(capsys, "index", "build", "--from", "shop.csv", "--name", "shop", "--prune", "--workers", "1")[1]
    assert out.startswith("0 added, 2 updated, 2 removed; 2 items in ")
    _, out, err = call(capsys, "search", "photos/dress.jpg", "--unlike", "photos/tee.jpg", "--show", "sheet.html")
    assert re.search(r"tee\.jpg .* unlike 1\.00", out)
    assert "ordered by score - 0.5 unlike, " in err
    assert "ordered by score - 0.5 unlike" in Path("sheet.html").read_text(encoding="utf-8")


def test_a_contact_sheet_shows_the_answers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(capsys)
    shutil.copy("photos/dress.jpg", "<b>&.jpg" if os.name != "nt" else "b.jpg")
    query = "<b>&.jpg" if os.name != "nt" else "b.jpg"
    code, _, err = call(capsys, "search", query, "--show", "results.html", "--top", "5", "--fold")
    assert code == 0
    assert "contact sheet written to results.html" in err
    page = Path("results.html").read_text(encoding="utf-8")
    assert page.count("<li>") >= 4
    assert page.count("data:image/jpeg;base64,") >= 6
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "<b>&.jpg" not in page
    code, _, err = call(capsys, "search", query, "--show", "results.pdf")
    assert code == UsageError.exit_code
    assert call(capsys, "search", query, "--show", "nowhere/results.html")[0] == 17


def test_add_remove_info_list_optimize_delete(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(capsys)
    shutil.copy("photos/dress.jpg", "extra.jpg")
    assert call(capsys, "index", "add", "extra.jpg", "--name", "shop", "--workers", "1")[1].startswith("1 added; 13")
    code, out, err = call(capsys, "index", "remove", "--ids", "extra.jpg,nobody", "--name", "shop")
    assert (code, out) == (0, "1 item removed, 12 left\n")
    assert "not in the index: nobody" in err
    out = call(capsys, "index", "info", "--name", "shop")[1]
    assert re.search(r"^items +12$", out, re.MULTILINE)
    assert re.search(r"^vectors +embedding, 1,280 numbers$", out, re.MULTILINE)
    assert json.loads(call(capsys, "index", "info", "--json")[1])["count"] == 12
    assert call(capsys, "index", "list")[1].startswith("shop  12 items, flat,")
    Path("photos/tee.jpg").unlink()
    code, out, _ = call(capsys, "index", "remove", "--missing", "--dry-run")
    assert out == "photos/tee.jpg\n"
    assert call(capsys, "index", "remove", "--missing", "--json")[1] == (
        '{"removed": 1, "unknown": [], "left": 11, "dry_run": false}\n'
    )
    Path("ids.txt").write_text("photos/dress.jpg\n\nphotos/polo.jpg\n", encoding="utf-8")
    assert call(capsys, "index", "remove", "--ids-from", "ids.txt")[1] == "2 items removed, 9 left\n"
    assert "hnsw: as asked for" in call(capsys, "index", "optimize", "--kind", "hnsw")[1]
    assert call(capsys, "search", "photos/dress.jpg", "-k", "1", "-q")[1] == "photos/dress-mirrored.jpg\n"
    assert call(capsys, "index", "delete", "--name", "shop", "--yes")[0] == 0
    assert call(capsys, "index", "list")[1] == ""


def test_a_second_run_reads_nothing_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(capsys)
    assert build(capsys)[1].startswith("0 added, 12 unchanged; 12 items")
    assert build(capsys, "--replace")[1].startswith("12 added; 12 items")
    code, _, err = build(capsys, "--size", "128")
    assert code == IndexMismatch.exit_code
    assert err.count("\n") == 1


def test_an_index_beside_the_pictures(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "index", "build", "photos", "--index", "mine", "--workers", "1")[0] == 0
    assert (here / "mine" / "items.sqlite3").is_file()
    assert call(capsys, "search", "photos/dress.jpg", "--index", "mine", "-q", "-k", "1")[1] == "photos/dress.jpg\n"
    assert call(capsys, "search", "photos/dress.jpg", "--index", "./mine", "--name", "mine")[0] == 2
    code, _, err = call(capsys, "index", "build", "photos", "--index", "photos")
    assert code == 17
    assert "there is something already" in err


@pytest.mark.skipif(not importlib.util.find_spec("milvus_lite"), reason="needs milvus-lite")
def test_the_same_commands_with_an_address(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--index", f"milvus://{here}/milvus.db/shop")
    assert call(capsys, "index", "build", "photos", *place, "--workers", "1")[1].startswith("12 added")
    assert call(capsys, "index", "build", "photos", *place, "--workers", "1")[1].startswith("0 added, 12 unchanged")
    out = call(capsys, "search", "photos/dress.jpg", *place, "--top", "2")[1]
    assert re.match(r"1\.00  photos/dress\.jpg .*\n0\.9\d  photos/dress-mirrored\.jpg  near-duplicate", out)
    assert call(capsys, "index", "remove", "--ids", "photos/dress.jpg", *place)[1] == "1 item removed, 11 left\n"
    assert call(capsys, "index", "build", "photos", *place, "--replace", "--workers", "1")[1].startswith("12 added")
    assert call(capsys, "index", "delete", *place, "-y")[0] == 0
    assert not [*(here / "indexes").rglob("*.sqlite3")]
    assert call(capsys, "search", "photos/dress.jpg", *place)[0] == IndexNotFound.exit_code
    before = time.monotonic()
    code, _, err = call(capsys, "search", "photos/dress.jpg", "--index", "milvus://127.0.0.1:1/shop")
    assert (code, err.count("\n")) == (IndexUnreachable.exit_code, 1)
    assert time.monotonic() - before < 10


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (["index", "build"], UsageError, "no pictures are named"),
        (["index", "build", "nowhere"], None, "nowhere"),
        (["index", "build", "photos", "--kind", "fast"], UsageError, "no kind of index called 'fast'"),
        (["index", "build", "photos", "--pca", "5000"], UsageError, "no 5000 components"),
        (["index", "build", "photos", "--method", "ssim"], UsageError, "cannot be indexed"),
        (["index", "build", "photos", "--method", "phash", "--size", "64"], UsageError, "not for 'phash'"),
        (["index", "build", "--from", "nothing.csv"], None, "no such file"),
        (["index", "build", "--from", "x.csv", "--column", "colour"], UsageError, "--column 'colour' says nothing"),
        (["index", "add", "photos", "--name", "shp"], IndexNotFound, "did you mean 'shop'"),
        (["index", "remove"], UsageError, "says what to remove"),
        (["index", "delete"], UsageError, "not said"),
        (["search"], UsageError, "nothing is searched for"),
        (["search", "photos/dress.jpg", "--top", "0"], UsageError, "top must be 1 or more"),
        (["search", "photos/dress.jpg", "--crop", "1,2"], UsageError, "no part of a picture"),
        (["search", "photos/dress.jpg", "--where", "red"], UsageError, "no condition"),
        (["search", "photos/dress.jpg", "--combine", "all"], UsageError, "combine must be"),
        (["search", "photos/dress.jpg", "--tag-weight", "0.5"], UsageError, "needs tags"),
        (["search", "photos/dress.jpg", "--name", "no way"], UsageError, "no name for an index"),
        (["search", "red striped dress"], UsageError, "knows pictures and no words"),
        (["search", "photos/upload-cut-off.jpg"], PictureError, "truncated"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_gets_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], kind: type | None, words: str
) -> None:
    if arguments[:2] != ["index", "build"]:
        build(capsys)
    code, out, err = call(capsys, *arguments)
    assert code != 0
    if kind in (UsageError, IndexNotFound):
        assert code == kind.exit_code
    assert words in err
    assert (out, err.count("\n")) == ("", 1)
    assert "Traceback" not in err
    assert call(capsys, "index", "list")[1].count("\n") == (arguments[:2] != ["index", "build"])


def test_a_folder_without_pictures_and_an_empty_index(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    code, _, err = call(capsys, "index", "build", "empty", "--name", "shop")
    assert code == PictureError.exit_code
    assert "there is no picture here" in err
    assert not (here / "indexes" / "shop").exists()
    Path("urls.csv").write_text("id,url\n1,http://127.0.0.1:1/a.jpg\n", encoding="utf-8")
    code, _, err = call(capsys, "index", "build", "--from", "urls.csv", "--name", "shop")
    assert code == PictureError.exit_code
    assert "nothing here could be read (1 failed); see what failed" in err
    build(capsys)
    ids = ",".join(answer["id"] for answer in json.loads(call(capsys, "search", "photos/tee.jpg", "--top", "99",
                                                              "--json")[1])["answers"])  # fmt: skip
    assert call(capsys, "index", "remove", "--ids", ids)[1] == "12 items removed, 0 left\n"
    code, out, err = call(capsys, "search", "photos/dress.jpg", "--name", "shop")
    assert (code, out) == (0, "")
    assert "the index is empty" in err


def test_a_locked_index_is_said_and_can_be_searched(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(capsys)
    lock = WriterLock(here / "indexes" / "shop")
    try:
        code, _, err = call(capsys, "index", "add", "photos", "--name", "shop")
        assert code == IndexLocked.exit_code
        assert "another process is writing to this index" in err
        assert call(capsys, "search", "photos/dress.jpg", "-q", "-k", "1")[1] == "photos/dress.jpg\n"
    finally:
        lock.close()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for a child on Windows")
@pytest.mark.skipif(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="Ctrl-C is ignored here")
def test_ctrl_c_keeps_what_was_indexed_and_the_same_command_goes_on(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(40):
        for picture in sorted(FOLDER.glob("*.jpg")):
            content = picture.read_bytes()
            (here / "photos" / f"{number}-{picture.name}").write_bytes(content + bytes([number]))
    command = [sys.executable, "-m", "lookalike", "index", "build", "photos", "--name", "shop"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ledger = here / "indexes" / "shop" / "items.sqlite3"
    deadline = time.monotonic() + 60
    while not ledger.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "the same command again goes on from there" in err
    assert "Traceback" not in err
    kept = json.loads(call(capsys, "index", "info", "--name", "shop", "--json")[1])["count"]
    code, out, _ = call(capsys, "index", "build", "photos", "--name", "shop", "-q", "--json")
    done = json.loads(out)
    assert code == 0
    assert done["unchanged"] == kept
    assert done["added"] + kept == done["index"]["count"]

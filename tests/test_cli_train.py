"""`lookalike train` on the command line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image
from synthetic import photo
from test_cli import call

from lookalike.features.embedding import Embedding

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="training needs the extra train")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(120):
        Image.fromarray(photo(number, 64, 64)).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def alike(photos: Path) -> Path:
    """Labels that any network gets right: there is nothing to gain."""
    table = photos / "alike.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "sku"])
        for number in range(20):
            for angle in (0, 2):
                name = f"t{number}-{angle}.png"
                Image.fromarray(photo(number, 64, 64)).rotate(angle).save(photos.parent / name)
                rows.writerow([str(photos.parent / name), number])
    return table


def test_components_are_written_and_said(capsys: pytest.CaptureFixture[str], photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "small.onnx"
    arguments = ["train", str(photos), "--out", str(out), "--kind", "pca", "--dimension", "16", "--size", "32"]
    code, said, aside = call(capsys, *arguments, "--no-store")
    assert code == 0
    assert "held out: " in said
    assert "is kept by 16 components" in said
    assert f"--model {out}" in aside
    assert Embedding(str(out)).shape == (16,)
    code, said, aside = call(capsys, *arguments, "--no-store", "--json", "--quiet")
    assert json.loads(said)["kind"] == "pca"
    assert aside == ""
    code, said, _ = call(
        capsys,
        "compare",
        str(photos / "000.png"),
        str(photos / "001.png"),
        "-m",
        "embedding",
        "--model",
        str(out),
        "-q",
    )
    assert code == 0
    assert 0 <= float(said) <= 1


@needs_torch
def test_nothing_gained_has_an_exit_code_and_both_figures(
    capsys: pytest.CaptureFixture[str], alike: Path, tmp_path: Path
) -> None:
    out = tmp_path / "head.onnx"
    arguments = ["train", str(alike), "--out", str(out), "--size", "32", "--no-store"]
    code, said, aside = call(capsys, *arguments)
    assert code == 21
    assert "mAP" in said
    assert "is not better than efficientnet-lite0-int8 on what was held out: mAP " in aside
    assert " before, " in aside
    assert not out.exists()
    code, _, aside = call(capsys, *arguments, "--keep-anyway")
    assert code == 0
    assert "kept all the same" in aside
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "brain"], "kind must be one of"),
        (["--kind", "pca", "--dimension", "5000"], "principal components"),
        (["--rate", "0"], "--rate must be over 0"),
        (["--no-store", "--store", "x"], "contradict each other"),
        (["--label-column", "sku"], "has no columns"),
        ([], "a head learns from labels"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    capsys: pytest.CaptureFixture[str], photos: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    out = str(tmp_path / "x.onnx")
    given = arguments if "--no-store" in arguments else [*arguments, "--no-store"]
    code, _, aside = call(capsys, "train", str(photos), "--out", out, "--size", "32", "--quiet", *given)
    assert code == 2
    assert message in aside
    assert len(aside.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@needs_torch
@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to a child there")
def test_ctrl_c_leaves_nothing_half_written_and_goes_on(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "whole.onnx"
    command = [sys.executable, "-m", "lookalike", "train", str(photos), "--out", str(out), "--kind", "whole"]
    command += ["--size", "32", "--no-store", "--epochs", "3", "--batch", "32", "--keep-anyway"]
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables)
    state = out.with_suffix(".checkpoint")
    deadline = time.monotonic() + 120
    while not state.exists() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, aside = running.communicate(timeout=60)
    assert running.returncode == 130, aside
    assert f"goes on from {state}" in aside
    assert [path.name for path in tmp_path.iterdir()] == [state.name]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=300)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole.json", "whole.onnx"]

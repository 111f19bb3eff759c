"""A catalogue in, a network out that is used like any other, or the plain word that nothing was gained."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import garment, photo

import lookalike
from lookalike.collection.store import Store
from lookalike.errors import MissingExtra, PictureError, UsageError
from lookalike.features.embedding import Embedding, unit
from lookalike.images.load import load
from lookalike.lab.training.catalogue import Catalogue, read_catalogue
from lookalike.lab.training.run import Request, run, run_kept

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="training needs the extra train")

CUTS = ("dress", "trousers", "sweater")
COLOURS = [(r, g, b) for r in (40, 130, 220) for g in (40, 130, 220) for b in (40, 130, 220)]


@pytest.fixture(scope="module")
def wardrobe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product is a colour, shown in three cuts: the network sees cuts first, and can learn to see colours."""
    folder = tmp_path_factory.mktemp("wardrobe")
    rows = []
    for number, colour in enumerate(COLOURS):
        for cut in CUTS:
            name = f"{number:02}-{cut}.png"
            Image.fromarray(garment(cut, colour, 96)).save(folder / name)
            rows.append((name, f"colour {number}"))
    _table(folder / "catalogue.csv", ("image", "product"), rows)
    return folder


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store(":memory:") as opened:
        yield opened


def _table(path: Path, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def request(wardrobe: Path, out: Path, **more: object) -> Request:
    catalogue = more.pop("catalogue", None) or read_catalogue(wardrobe / "catalogue.csv")
    return Request(catalogue, out, size=64, **more)  # type: ignore[arg-type]


def many(folder: Path, count: int) -> Catalogue:
    for number in range(count):
        Image.fromarray(photo(number, 64, 48)).save(folder / f"{number:03}.png")
    return read_catalogue(folder)


@needs_torch
def test_a_head_that_is_better_is_written_and_used_by_name(wardrobe: Path, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "colours.onnx"
    trained = run(request(wardrobe, out), store)
    assert trained.gained
    assert trained.written
    assert trained.judgement.figures["map"].after > trained.judgement.figures["map"].before + 0.1
    told = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["size"] == 64
    assert told["trained"]["kind"] == "head"
    assert told["trained"]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert told["trained"]["held_out"]["map"]["after"] == pytest.approx(
        trained.judgement.figures["map"].after, abs=1e-4
    )
    pictures = [str(wardrobe / name) for name in ("00-dress.png", "00-sweater.png", "26-dress.png")]
    options = {"embedding": {"model": str(out)}}
    same, other = (lookalike.compare(pictures[0], b, method="embedding", options=options).score for b in pictures[1:])
    assert same > other  # the network as it was says the opposite
    plain = {"embedding": {"size": 64}}
    same, other = (lookalike.compare(pictures[0], b, method="embedding", options=plain).score for b in pictures[1:])
    assert same < other


@needs_torch
def test_one_seed_gives_the_same_bytes(wardrobe: Path, store: Store, tmp_path: Path) -> None:
    outs = [tmp_path / name for name in ("a.onnx", "b.onnx", "c.onnx")]
    for out, seed in zip(outs, (0, 0, 1), strict=True):
        run(request(wardrobe, out, seed=seed, keep_anyway=True), store)
    first, again, other = (out.read_bytes() for out in outs)
    assert first == again != other


@needs_torch
def test_labels_that_mean_nothing_give_no_network(wardrobe: Path, store: Store, tmp_path: Path) -> None:
    paths = [str(wardrobe / f"{number:02}-{cut}.png") for number in range(27) for cut in CUTS]
    shuffled = np.random.default_rng(0).permutation(np.repeat(np.arange(27), 3))
    asked = request(wardrobe, tmp_path / "x.onnx", catalogue=Catalogue(tuple(paths), tuple(map(str, shuffled)), "x"))
    trained = run(asked, store)
    assert not trained.gained
    assert not trained.written
    assert list(tmp_path.iterdir()) == []
    assert run(replace(asked, keep_anyway=True), store).written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.json", "x.onnx"]


@needs_torch
@pytest.mark.parametrize("labelled", [True, False])
def test_codes_are_bits(wardrobe: Path, store: Store, tmp_path: Path, labelled: bool) -> None:
    out = tmp_path / "codes.onnx"
    if labelled:  # 64 bits need more pictures to learn from than the wardrobe has: edges are pictures of their own
        paths = [str(wardrobe / f"{number:02}-{cut}.png") for number in range(27) for cut in CUTS]
        more = many(tmp_path, 60)
        labels = [str(number // 3) for number in range(81)] + [f"photo {number // 3}" for number in range(60)]
        catalogue = Catalogue((*paths, *more.paths), tuple(labels), "both")
    else:
        catalogue = many(tmp_path, 120)
    trained = run(request(wardrobe, out, kind="binary", bits=64, catalogue=catalogue), store)
    assert trained.written
    vectors = np.stack(Embedding(str(out)).extract([load(path) for path in catalogue.paths[:8]]))
    assert vectors.shape == (8, 64)
    np.testing.assert_allclose(np.abs(vectors), 1 / 8, rtol=1e-6)
    assert trained.about["untrained"]["neighbours_kept"]["10"] > 0
    assert bool(trained.judgement.figures) is labelled


@pytest.mark.parametrize("kind", ["pca", "whiten"])
def test_components_need_no_torch(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    import builtins

    imported = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        assert name.partition(".")[0] != "torch"
        return imported(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    out = tmp_path / "small.onnx"
    trained = run(Request(many(tmp_path, 120), out, kind=kind, size=64, dimension=16), store)  # type: ignore[arg-type]
    assert trained.written
    assert 0.3 < trained.about["variance_kept"] < 1
    assert Embedding(str(out)).shape == (16,)


@needs_torch
def test_the_whole_network_without_labels(store: Store, tmp_path: Path) -> None:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        out = tmp_path / "whole.onnx"
        asked = Request(many(tmp_path, 100), out, kind="whole", size=32, keep_anyway=True)
        asked = replace(asked, whole=replace(asked.whole, epochs=1, batch=32), device="cpu")
        trained = run(asked, store)
    finally:
        torch.set_num_threads(threads)
    assert trained.written
    assert trained.about["learned_from"] == "edited views"
    assert Embedding(str(out)).shape == (1280,)
    assert not asked.state.exists()
    told = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["trained"]["base"]["model"] == "efficientnet-lite0"


def test_bad_pictures_and_copies_are_told_and_left_out(wardrobe: Path, store: Store, tmp_path: Path) -> None:
    catalogue = many(tmp_path, 110)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    (tmp_path / "copy.png").write_bytes((tmp_path / "000.png").read_bytes())
    paths = (*catalogue.paths, str(tmp_path / "broken.png"), str(tmp_path / "copy.png"), str(tmp_path / "gone.png"))
    asked = Request(Catalogue(paths, ("",) * len(paths), "x"), tmp_path / "o.onnx", kind="pca", size=64, dimension=8)
    trained = run(asked, store)
    assert trained.pictures == 110
    assert [failure.kind for failure in trained.failures] == ["DecodeFailed", "SourceNotFound"]
    assert any("1 files are copies" in notice for notice in trained.notices)
    with pytest.raises(PictureError, match="no picture of it can be used"):
        run(replace(asked, catalogue=Catalogue((str(tmp_path / "gone.png"),), ("",), "x")), store)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "brain"}, "kind must be one of head"),
        ({"loss": "none"}, "loss must be one of"),
        ({"kind": "binary", "bits": 100}, "64 to 256 bits, a multiple of 8, not 100"),
        ({"kind": "binary", "dimension": 64}, "name the bits of a code with --bits"),
        ({"dimension": 0}, "cannot have the dimension 0"),
        ({"catalogue": Catalogue(("a.png",), ("",), "bare.csv")}, "a head learns from labels, and bare.csv has none"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    wardrobe: Path, store: Store, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        run(replace(request(wardrobe, tmp_path / "x.onnx"), **changes), store)  # type: ignore[arg-type]


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is here")
def test_without_torch_the_extra_is_named(wardrobe: Path, store: Store, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r"lookalike\[train\]"):
        run(request(wardrobe, tmp_path / "x.onnx"), store)


@needs_torch
def test_a_store_that_is_not_there_is_made(wardrobe: Path, tmp_path: Path) -> None:
    run_kept(request(wardrobe, tmp_path / "x.onnx", keep_anyway=True), tmp_path / "store.sqlite")
    with Store(tmp_path / "store.sqlite") as opened:
        digest = hashlib.sha256((wardrobe / "00-dress.png").read_bytes()).hexdigest()
        kept = np.frombuffer(opened.features(Embedding(size=64).key, [digest])[digest], np.float32)
    expected = Embedding(size=64).extract([load(str(wardrobe / "00-dress.png"))])[0]
    np.testing.assert_allclose(unit(kept[None])[0], expected, atol=1e-6)


def test_catalogues_of_tables_and_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "mugs" / name).mkdir(parents=True)
        Image.fromarray(photo(1, 40, 40)).save(tmp_path / "mugs" / name / "1.png")
    found = read_catalogue(tmp_path / "mugs")
    assert (found.labels, found.labelled) == (("a", "b"), True)
    assert not found.bare().labelled
    table = _table(tmp_path / "t.csv", ("Image", "SKU"), [("mugs/a/1.png", "x"), ("mugs/b/1.png", "")])
    found = read_catalogue(table)
    assert [Path(path).name for path in found.paths] == ["1.png", "1.png"]
    assert all(Path(path).exists() for path in found.paths)
    assert found.labels == ("x", "")
    plain = read_catalogue(_table(tmp_path / "p.csv", ("path", "price"), [("mugs/a/1.png", "3")]))
    assert not plain.labelled
    assert read_catalogue(tmp_path / "p.csv", label_column="price").labels == ("3",)
    twice = _table(tmp_path / "d.csv", ("path", "label"), [("1.png", "x"), ("1.png", "y"), ("2.png", "z")])
    assert read_catalogue(twice).paths == ("2.png",)
    assert "two labels" in read_catalogue(twice).notices[0]
    with pytest.raises(UsageError, match="--label-column is one of path, label"):
        read_catalogue(twice, label_column="sku")
    with pytest.raises(UsageError, match="known to hold the pictures"):
        read_catalogue(_table(tmp_path / "n.csv", ("what", "label"), [("1.png", "x")]))
    with pytest.raises(UsageError, match="is no table"):
        read_catalogue(tmp_path / "mugs", label_column="sku")

"""Pairs of a labelled set: right labels, every product in turn, the same whatever the order."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from synthetic import garment, photo
from test_cli import call

from lookalike.errors import UsageError
from lookalike.lab.datasets.pictures import Collection, LabelledPicture
from lookalike.lab.datasets.read import part_of, read_dataset
from lookalike.lab.datasets.sampling import Sample, sample_pairs


def shop(sizes: list[int], categories: int = 3) -> Collection:
    """Products of these sizes in some categories; no files, for none are needed."""
    pictures = [
        LabelledPicture(
            f"/shop/{product}/{number}.jpg", f"p{product}", f"c{product % categories}" if categories else ""
        )
        for product, size in enumerate(sizes)
        for number in range(size)
    ]
    return Collection("folders", "/shop", tuple(pictures))


def known(collection: Collection) -> dict[str, LabelledPicture]:
    return {picture.path: picture for picture in collection.pictures}


@settings(max_examples=30)
@given(st.lists(st.integers(1, 8), min_size=4, max_size=12).filter(lambda sizes: max(sizes) > 1), st.integers(0, 5))
def test_labels_are_true_and_no_pair_comes_twice(sizes: list[int], seed: int) -> None:
    collection = shop(sizes)
    found = known(collection)
    made = sample_pairs(collection, positives=20, negatives=30, seed=seed)
    assert len({frozenset((pair.a, pair.b)) for pair in made.pairs}) == len(made.pairs)
    for pair in made.pairs:
        a, b = found[pair.a], found[pair.b]
        assert pair.a != pair.b
        product, category = a.product == b.product, a.category == b.category
        assert pair.label == ("same product" if product else "same category" if category else "different")
        assert pair.kind == ("same" if product else "hard" if category else "random")


def test_large_products_do_not_dominate() -> None:
    collection = shop([60, 3, 3, 3, 2, 2, 2, 2])
    found = known(collection)
    made = sample_pairs(collection, positives=20, negatives=70, hard=0)
    of = Counter(found[pair.a].product for pair in made.pairs if pair.kind == "same")
    assert of == {"p0": 20 - 3 * 3 - 4, "p1": 3, "p2": 3, "p3": 3, "p4": 1, "p5": 1, "p6": 1, "p7": 1}
    shown = Counter(found[path].product for pair in made.pairs if pair.kind == "random" for path in (pair.a, pair.b))
    assert max(shown.values()) <= 3 * min(shown.values())


def test_order_and_seed() -> None:
    collection = shop([4] * 30)
    turned = replace(collection, pictures=collection.pictures[::-1])
    assert sample_pairs(collection, seed=1) == sample_pairs(turned, seed=1)
    assert sample_pairs(collection, seed=1).pairs != sample_pairs(collection, seed=2).pairs


def test_as_many_as_there_are_is_told() -> None:
    made = sample_pairs(shop([2, 2, 2], categories=1), positives=10, negatives=100)
    assert Counter(pair.kind for pair in made.pairs) == {"same": 3, "hard": 12}
    assert "positive pairs: 3, not 10, for there are no more" in made.notices
    assert "negative pairs: 12, not 100, for there are no more" in made.notices


def test_pictures_without_a_product_are_left_out() -> None:
    collection = shop([2, 2])
    more = replace(collection, pictures=(*collection.pictures, LabelledPicture("/x.jpg", category="c0")))
    made = sample_pairs(more, positives=2, negatives=2)
    assert "pictures left out, as nobody says which product they show: 1" in made.notices
    assert not any("/x.jpg" in (pair.a, pair.b) for pair in made.pairs)


def test_what_cannot_be_sampled() -> None:
    with pytest.raises(UsageError, match="no product of /shop has two pictures"):
        sample_pairs(shop([1, 1, 1]))
    with pytest.raises(UsageError, match="has 1 products"):
        sample_pairs(shop([9]))
    with pytest.raises(UsageError, match="some pairs"):
        sample_pairs(shop([2, 2]), positives=0, negatives=0)


def test_copies_are_paired_with_their_originals() -> None:
    views = ["original", "strong", "crops/10", "crops/80"]
    pictures = [LabelledPicture(f"/{view}/{block}.jpg", block, view=view) for block in "ab" for view in views]
    made = sample_pairs(Collection("copydays", "/", tuple(pictures), copies=True), positives=9, negatives=4, hard=0)
    same = [pair for pair in made.pairs if pair.label == "same"]
    assert len(same) == 6
    assert all("/original/" in pair.a + pair.b for pair in same)
    assert {pair.label for pair in made.pairs} == {"same", "different"}


def test_splits_are_those_of_the_set_or_made_by_product() -> None:
    collection = shop([3] * 50)
    train, test = part_of(collection, "train", 1), part_of(collection, "test", 1)
    assert not {p.product for p in train.pictures} & {p.product for p in test.pictures}
    assert len(train.pictures) + len(test.pictures) == 150
    assert 27 <= len(test.pictures) <= 33
    assert "the set names no splits" in test.notices[-1]
    pictures = tuple(replace(p, split=("query", "gallery")[i % 2]) for i, p in enumerate(collection.pictures))
    queries = replace(collection, pictures=pictures)
    assert len(part_of(queries, "test").pictures) == 150
    assert len(part_of(queries, "query").pictures) == 75
    with pytest.raises(UsageError, match="no split 'val'"):
        part_of(collection, "val")


@pytest.fixture
def wardrobe(tmp_path: Path) -> Path:
    """Garments of two cuts in three colours, photos beside them, a folder each; and a file that is none."""
    for cut in ("dress", "trousers"):
        for number, colour in enumerate(((200, 40, 40), (190, 50, 60), (40, 60, 180))):
            folder = tmp_path / "set" / f"{cut} {number}"
            folder.mkdir(parents=True)
            for size in (96, 120):
                Image.fromarray(garment(cut, colour, size)).save(folder / f"{size}.png")
    for number in range(3):
        folder = tmp_path / "set" / f"photo {number}"
        folder.mkdir()
        for part in range(2):
            Image.fromarray(np.roll(photo(number, 96, 96), 9 * part, axis=1)).save(folder / f"{part}.png")
    (tmp_path / "set" / "dress 0" / "bad.png").write_bytes(b"no picture")
    return tmp_path


def sampled(root: Path) -> Sample:
    return sample_pairs(read_dataset(root / "set"), positives=4, negatives=16, hard=0.5)


def test_the_most_alike_are_found_where_no_categories_are_known(wardrobe: Path) -> None:
    made = sampled(wardrobe)
    hard = [pair for pair in made.pairs if pair.kind == "hard"]
    assert len(hard) == 8
    garments = [pair for pair in hard if ("photo" in pair.a) == ("photo" in pair.b)]
    assert len(garments) == 8  # garments look like garments, photos like photos
    assert [Path(failure.source).name for failure in made.failures] == ["bad.png"]


def test_the_command(wardrobe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(wardrobe)
    command = ("sample", "set", "--out", "pairs.csv", "--positives", "4", "--negatives", "8")
    code, out, err = call(capsys, *command)
    assert code == 0, err
    with (wardrobe / "pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["label"] for row in rows) == {"same": 4, "different": 8}
    assert all(Path(row[side]).is_absolute() for row in rows for side in "ab")
    assert "pairs.csv: 12 pairs" in out
    assert "read as folders" in err
    assert call(capsys, *command)[0] == 17  # nothing is overwritten
    assert call(capsys, "sample", "set", "--out", "pairs.txt")[0] == 2
    assert call(capsys, "sample", "set", "--out", "more.csv", "--columns", "path")[0] == 2
    assert call(capsys, "sample", "set", "--out", "more.csv", "--split", "val")[0] == 2

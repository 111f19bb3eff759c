"""Public layouts and one's own, as small trees made here: every picture is found with its labels, every broken line."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lookalike.errors import SourceNotFound, SourceUnreadable, UsageError
from lookalike.lab.datasets.read import LAYOUTS, Collection, LabelledPicture, layout_of, read_dataset


def put(*paths: Path) -> None:
    """A tiny picture at each place."""
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 2), number % 256, np.uint8)).save(path)


def below(root: Path, collection: Collection) -> dict[str, LabelledPicture]:
    return {Path(picture.path).relative_to(root).as_posix(): picture for picture in collection.pictures}


def sop(root: Path) -> Path:
    """As the set comes: see the docstring of the reader for where that is said."""
    header = "image_id class_id super_class_id path\n"
    lines = ["1 1 1 bicycle_final/1_0.JPG", "2 1 1 bicycle_final/1_1.JPG", "3 2 9 sofa_final/2_0.JPG"]
    (root / "Ebay_train.txt").write_text(header + "\n".join(lines[:2]) + "\n")
    (root / "Ebay_test.txt").write_text(header + lines[2] + "\n")
    put(*(root / line.split()[-1] for line in lines))
    return root


def test_stanford_online_products(tmp_path: Path) -> None:
    found = read_dataset(sop(tmp_path))
    assert found.layout == "sop"
    assert found.splits == ("test", "train")
    pictures = below(tmp_path, found)
    assert pictures["bicycle_final/1_1.JPG"].product == "1"
    assert pictures["bicycle_final/1_1.JPG"].category == "bicycle"
    assert pictures["sofa_final/2_0.JPG"].split == "test"
    assert [picture.product for picture in found.part("test").pictures] == ["2"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("4 x 1 bicycle_final/1_0.JPG", "line 4: class_id and super_class_id are numbers, not 'x' and '1'"),
        ("4 2 bicycle_final/1_0.JPG", "line 4: 3 columns, not 4"),
    ],
)
def test_a_broken_line_of_stanford_online_products(tmp_path: Path, line: str, why: str) -> None:
    path = sop(tmp_path) / "Ebay_train.txt"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(SourceUnreadable, match=why) as error:
        read_dataset(tmp_path)
    assert error.value.source == str(path)


def inshop(root: Path, count: int = 3) -> Path:
    lines = [
        f"{count}",
        "image_name item_id evaluation_status",
        "img/WOMEN/Dresses/id_00000002/02_1_front.jpg                  id_00000002 train",
        "img/WOMEN/Dresses/id_00000007/01_3_back.jpg                   id_00000007 query",
        "img/MEN/Pants/id_00000009/01_7_additional.jpg                 id_00000009 gallery",
    ]
    (root / "Eval").mkdir()
    (root / "Eval" / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    put(*(root / "Img" / line.split()[0] for line in lines[2:]))
    return root


def test_inshop(tmp_path: Path) -> None:
    found = read_dataset(inshop(tmp_path))
    assert found.layout == "inshop"
    pictures = below(tmp_path / "Img", found)
    dress = pictures["img/WOMEN/Dresses/id_00000002/02_1_front.jpg"]
    assert (dress.product, dress.category, dress.view, dress.split) == (
        *("id_00000002", "WOMEN/Dresses", "front", "train"),
    )
    assert found.splits == ("gallery", "query", "train")


def test_inshop_says_how_many_there_should_be(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="line 1: it promises 52712 pictures, and there are 3"):
        read_dataset(inshop(tmp_path, 52712))


def test_a_broken_status_of_inshop(tmp_path: Path) -> None:
    path = inshop(tmp_path) / "Eval" / "list_eval_partition.txt"
    path.write_text(path.read_text().replace("gallery", "galery"))
    with pytest.raises(SourceUnreadable, match="line 5: the status is train, query or gallery, not 'galery'"):
        read_dataset(tmp_path)


def test_copydays(tmp_path: Path) -> None:
    originals = [tmp_path / "original" / f"{number}00.jpg" for number in (2000, 2001)]
    copies = [tmp_path / "strong" / "200001.jpg", tmp_path / "strong" / "200002.jpg"]
    copies += [tmp_path / "jpegqual" / "10" / "200100.jpg", tmp_path / "crops" / "80" / "200000.jpg"]
    put(*originals, *copies, tmp_path / "strong" / "thumb.jpg", tmp_path / "other" / "200000.jpg")
    found = read_dataset(tmp_path)
    assert (found.layout, found.copies) == ("copydays", True)
    pictures = below(tmp_path, found)
    assert len(pictures) == 6
    assert pictures["strong/200002.jpg"].product == pictures["original/200000.jpg"].product == "2000"
    assert pictures["jpegqual/10/200100.jpg"].view == "jpegqual/10"


@pytest.mark.parametrize("header", ["query_id,reference_id\n", ""])
def test_disc21(tmp_path: Path, header: str) -> None:
    lines = "Q00000,\nQ00003,R326040\nQ00004,R326040\nQ00009,R000001\n"
    (tmp_path / "dev_queries_groundtruth.csv").write_text(header + lines)
    put(*(tmp_path / "dev_queries" / f"Q0000{number}.jpg" for number in (0, 3, 4)))
    put(tmp_path / "images" / "references" / "R326040.jpg", tmp_path / "images" / "references" / "R999999.jpg")
    found = read_dataset(tmp_path)
    assert (found.layout, found.copies, found.splits) == ("disc21", True, ("dev",))
    pictures = {Path(picture.path).stem: picture for picture in found.pictures}
    assert set(pictures) == {"Q00000", "Q00003", "Q00004", "R326040"}
    assert pictures["Q00003"].product == pictures["Q00004"].product == pictures["R326040"].product
    assert pictures["Q00000"].product != pictures["Q00003"].product
    assert (pictures["Q00003"].view, pictures["R326040"].view) == ("query", "reference")
    assert found.notices == ("2 of 6 pictures of the lists are not there",)


def test_a_broken_line_of_disc21(tmp_path: Path) -> None:
    (tmp_path / "public_ground_truth.csv").write_text("query_id,reference_id\nQ00003,R326040,0.7\n")
    with pytest.raises(SourceUnreadable, match="line 2: 3 columns, not 2"):
        read_dataset(tmp_path)


def test_folders(tmp_path: Path) -> None:
    put(tmp_path / "mugs" / "red mug" / "a.jpg", tmp_path / "mugs" / "blue mug" / "b.png", tmp_path / "stray.jpg")
    put(tmp_path / "spoon" / "c.jpg")
    (tmp_path / "mugs" / "readme.txt").write_text("mugs")
    found = read_dataset(tmp_path)
    pictures = below(tmp_path, found)
    assert {place: (each.category, each.product) for place, each in pictures.items()} == {
        "mugs/blue mug/b.png": ("mugs", "mugs/blue mug"),
        "mugs/red mug/a.jpg": ("mugs", "mugs/red mug"),
        "spoon/c.jpg": ("", "spoon"),
    }
    assert found.notices == ("pictures without a label, as they lie in no folder: 1",)


def test_folders_called_like_splits_are_splits(tmp_path: Path) -> None:
    put(tmp_path / "train" / "mug" / "a.jpg", tmp_path / "test" / "spoon" / "b.jpg")
    assert [(p.split, p.product, p.category) for p in read_dataset(tmp_path).pictures] == [
        ("test", "spoon", ""),
        ("train", "mug", ""),
    ]


def write_csv(path: Path, rows: list[list[str]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t")])
def test_a_table_with_columns_as_people_call_them(tmp_path: Path, name: str, delimiter: str) -> None:
    put(tmp_path / "x" / "1.jpg")
    rows = [["SKU", "Image", "Color", "price"], ["A-1", "x/1.jpg", "red", "9"], ["A-2", "https://x.test/2.jpg", "", ""]]
    found = read_dataset(write_csv(tmp_path / name, rows, delimiter))
    assert found.layout == "csv"
    assert [(p.path, p.product, p.colour) for p in found.pictures] == [
        (str(tmp_path / "x" / "1.jpg"), "A-1", "red"),
        ("https://x.test/2.jpg", "A-2", ""),
    ]


def test_columns_of_a_table_can_be_named(tmp_path: Path) -> None:
    put(tmp_path / "1.jpg")
    path = write_csv(tmp_path / "a.csv", [["where", "what", "label"], ["1.jpg", "A-1", "shoe"]])
    found = read_dataset(path, columns={"path": "where", "product": "what", "category": "label"})
    assert found.pictures == (LabelledPicture(str(tmp_path / "1.jpg"), "A-1", "shoe"),)
    assert "columns: path=where, product=what, category=label" in found.notices
    with pytest.raises(UsageError, match=r"no column of a\.csv is known to hold the path"):
        read_dataset(path)
    with pytest.raises(UsageError, match="has no column 'nowhere'"):
        read_dataset(path, columns={"path": "nowhere"})
    with pytest.raises(UsageError, match="nothing is known of 'price'"):
        read_dataset(path, columns={"price": "label"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path,product\n1.jpg,a\n2.jpg\n", "line 3: 1 columns, not 2"),
        ("path,product\n1.jpg,a\n,b\n", "line 3: no path in the column 'path'"),
        ('path,product\n1.jpg,a\n"2.jpg"x,b\n', "line 3: "),
        ("path,product\n", "a header and a row for each"),
    ],
)
def test_a_broken_row_of_a_table(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(SourceUnreadable, match=why):
        read_dataset(tmp_path / "a.csv")


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="no such file or folder"):
        read_dataset(tmp_path / "nothing")
    (tmp_path / "a.csv").write_text("path,product\n1.jpg,a\n")
    with pytest.raises(SourceNotFound, match="none of the 1 pictures of this set is there"):
        read_dataset(tmp_path / "a.csv")
    for layout in LAYOUTS.keys() - {"csv"}:
        with pytest.raises(SourceNotFound):
            read_dataset(tmp_path, layout)
    with pytest.raises(UsageError, match="no layout 'imagenet'"):
        read_dataset(tmp_path, "imagenet")
    with pytest.raises(UsageError, match="read as folders"):
        read_dataset(tmp_path, "folders", columns={"path": "x"})


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no split 'val'; it has test, train"):
        read_dataset(sop(tmp_path)).part("val")


NAME = st.text("abcXYZ019_- é", min_size=1, max_size=8).map(str.strip).filter(lambda name: name not in ("", "-"))


@settings(max_examples=25)
@given(st.dictionaries(NAME, st.tuples(st.integers(1, 20), st.integers(1, 3)), min_size=1, max_size=6))
def test_any_list_of_products_reads_back(wanted: dict[str, tuple[int, int]]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        rows = [["path", "product", "category"]]
        expected = {}
        for number, (name, (product, category)) in enumerate(wanted.items()):
            path = root / f"{number} {name}.png"
            put(path)
            rows.append([path.name, f"p{product}", f"c{category}"])
            expected[str(path)] = (f"p{product}", f"c{category}")
        found = read_dataset(write_csv(root / "pictures.csv", rows))
        assert {each.path: (each.product, each.category) for each in found.pictures} == expected


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["mug", "sofa"]), st.booleans()), min_size=1, max_size=12))
def test_any_stanford_list_reads_back(rows: list[tuple[int, str, bool]]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        expected = {}
        lists = {True: ["image_id class_id super_class_id path"], False: ["image_id class_id super_class_id path"]}
        for number, (product, kind, train) in enumerate(rows):
            place = f"{kind}_final/{number}.JPG"
            put(root / place)
            lists[train].append(f"{number} {product} 1 {place}")
            expected[place] = (str(product), kind, "train" if train else "test")
        (root / "Ebay_train.txt").write_text("\n".join(lists[True]))
        (root / "Ebay_test.txt").write_text("\n".join(lists[False]))
        found = below(root, read_dataset(root))
        assert {place: (each.product, each.category, each.split) for place, each in found.items()} == expected


def test_layouts_are_told_apart(tmp_path: Path) -> None:
    for make, name in ((sop, "sop"), (inshop, "inshop")):
        (tmp_path / name).mkdir()
        assert layout_of(make(tmp_path / name)) == name
    assert layout_of(tmp_path) == "folders"
    assert layout_of("a.TSV") == "csv"

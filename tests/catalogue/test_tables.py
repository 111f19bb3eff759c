"""Tables as shops export them, and what of them is asked for afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from synthetic import photo

from lookalike.catalogue import places, sources
from lookalike.catalogue.catalogue import Index
from lookalike.catalogue.cells import Cells
from lookalike.catalogue.entries import Entry
from lookalike.errors import SourceUnreadable, UsageError
from lookalike.index.items import Filter
from lookalike.types import Failure


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three pictures, where a shop's tables lie."""
    monkeypatch.setenv("LOOKALIKE_INDEXES", str(tmp_path / "indexes"))
    monkeypatch.setenv("LOOKALIKE_STORE", str(tmp_path / "store.sqlite3"))
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        Image.fromarray(photo(ord(name), 90, 80)).save(f"{name}.png")
    return tmp_path


def build(text: str, **more: object) -> Index:
    Path("shop.csv").write_text(text, encoding="utf-8")
    return Index.build(table="shop.csv", place="shop", workers=1, store=False, **more)  # type: ignore[arg-type]


def found(index: Index, *conditions: str) -> list[str]:
    passing = Filter(conditions=conditions)
    return sorted(item.id for item in index.items() if passing.passes(item.tags, item.data))


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1", "2.50", "-3"], [1, 2.5, -3]),
        ([" 12 ", ".5", "5."], [12, 0.5, 5.0]),
        (["001", "050", "299"], ["001", "050", "299"]),
        (["4006381333931", "96385074"], ["4006381333931", "96385074"]),
        (["+49 170", "+49170", "5"], ["+49 170", "+49170", "5"]),
        (["39.90", "on request", ""], [39.9, "on request", ""]),
        (["1e3", "12,50", "0x10", "٣"], ["1e3", "12,50", "0x10", "٣"]),
        (["0", "-0", "0.0"], [0, 0, 0.0]),
    ],
)
def test_a_column_has_numbers_or_codes(cells: list[str], read: list[object]) -> None:
    columns = Cells({"x": cell} for cell in cells)
    assert [columns.value("x", cell) for cell in cells] == read


def test_where_semicolons_part_the_columns_a_comma_is_a_point() -> None:
    columns = Cells(({"x": cell} for cell in ("39,90", "1.299,00", "-5,0", "7")), comma=True)
    assert [columns.value("x", cell) for cell in ("39,90", "1.299,00", "-5,0", "7")] == [39.9, 1299.0, -5.0, 7]


@given(st.lists(st.integers(-(10**8), 10**8) | st.floats(-1e6, 1e6).map(lambda x: round(x, 6)), min_size=1))
def test_numbers_are_read_as_they_are(numbers: list[float]) -> None:
    written = [f"{number:.6f}" if isinstance(number, float) else str(number) for number in numbers]
    columns = Cells({"x": cell} for cell in written)
    assert [columns.value("x", cell) for cell in written] == [pytest.approx(number) for number in numbers]
    assert columns.notices(["x"]) == []


def test_a_table_of_a_german_spreadsheet_is_asked_for_its_prices() -> None:
    with build("sep=;\nid;image;preis;nr\n1;a.png;39,90;007\n2;b.png;1.299,00;017\n3;c.png;;100\n") as index:
        assert found(index, "preis<40") == ["1"]
        assert found(index, "preis=null") == ["3"]
        assert found(index, "nr=100") == ["3"]
        assert found(index, "nr>=017") == ["2", "3"]


def test_odd_cells_are_told() -> None:
    rows = "\n".join(f"{n},a.png,{n}.5,x" for n in range(8))
    with build(f"id,image,price,word\n{rows}\n9,b.png,39.90 EUR,5\n") as index:
        assert index.filled is not None
        assert index.filled.notices == ("column price: 1 of 9 cells are no numbers, such as '39.90 EUR'",)


def test_a_picture_that_changed_is_read_again_and_one_that_is_gone_is_told() -> None:
    table = "id,image\n1,a.png\n2,b.png\n3,c.png\n"
    build(table).close()
    Image.fromarray(photo(99, 90, 80)).save("a.png")
    os.utime("a.png", ns=(1, 1))
    Path("b.png").write_bytes(b"\x89PNG\r\n")
    Path("c.png").unlink()
    with build(table) as index:
        done = index.filled
        assert done is not None
        assert (done.added, done.updated, done.unchanged) == (0, 1, 0)
        assert sorted(Path(failure.source).name for failure in done.failures) == ["b.png", "c.png"]
        assert index.search("a.png", top=1)[0].score == 1.0
        assert index.add(entries=[Entry("a.png", "1")]).unchanged == 1
        assert index.add(entries=["a.png"]).unchanged == 1


def test_rows_that_are_gone_go_where_it_is_asked_for() -> None:
    build("id,image\n1,a.png\n2,b.png\n3,c.png\n").close()
    with build("id,image\n2,b.png\n3,nowhere.png\n") as index:
        assert len(index) == 3
    with build("id,image\n2,b.png\n3,nowhere.png\n", prune=True) as index:
        assert index.filled is not None
        assert index.filled.pruned == 1
        assert sorted(item.id for item in index.items()) == ["2", "3"]  # what failed was named all the same
    Path("empty").mkdir()
    with Index.build("empty", place="shop", prune=True, workers=1, store=False) as index:
        assert len(index) == 2  # a disk that is not there names nothing


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be read")
def test_what_lies_where_nothing_can_be_read_is_not_gone(here: Path) -> None:
    for folder in ("one", "two"):
        Path(folder).mkdir()
        Path(f"{folder}/x.png").write_bytes(Path("a.png").read_bytes())
    Index.build(["one", "two"], place="shop", workers=1, store=False).close()
    Path("two").chmod(0)
    try:
        with Index.build(["one", "two"], place="shop", prune=True, workers=1, store=False) as index:
            assert len(index) == 2
    finally:
        Path("two").chmod(0o700)


def test_what_could_not_be_looked_into_is_not_gone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("one", "two"):
        Path(folder).mkdir()
        Path(f"{folder}/x.png").write_bytes(Path("a.png").read_bytes())
    Index.build(["one", "two"], place="shop", workers=1, store=False).close()
    found = sources.of_folders

    def half(given: object, **how: object) -> object:  # as the scan says it of a folder that it may not read
        entries, skipped = found(["one"], **how)  # type: ignore[arg-type]
        return entries, (*skipped, Failure("two", "SourceUnreadable", "two: no permission"))

    monkeypatch.setattr(sources, "of_folders", half)
    with Index.build(["one", "two"], place="shop", prune=True, workers=1, store=False) as index:
        assert index.filled is not None
        assert (len(index), index.filled.pruned) == (2, 0)


def test_one_id_is_one_id() -> None:
    with build("id,image\n1,a.png\n7,b.png\n17,c.png\n") as index:
        assert index.remove("17") == 1
        assert [item.id for item in index.items()] == ["1", "7"]
        assert index.remove([1]) == 1
        (item,) = index.get("7")
        assert item is not None
        assert index.search(ids="7", top=1).answers == ()
        assert index.search("b.png", only=Filter(none="x"), tags="x", top=1)[0].id == "7"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda index: index.add(entries=[Entry(b"\x89PNG")]),  # type: ignore[arg-type]
        lambda index: index.add(entries=[Entry("a.png", data="red")]),  # type: ignore[arg-type]
        lambda index: index.search("a.png", only={"price": 5}),
        lambda index: index.search("a.png", only="price<5"),
    ],
)
def test_what_is_no_such_thing_is_refused_in_one_line(wrong: object) -> None:
    with build("id,image\n1,a.png\n") as index, pytest.raises(UsageError):
        wrong(index)  # type: ignore[operator]


def test_a_table_in_other_letters_says_what_to_do(here: Path) -> None:
    Path("shop.csv").write_bytes("id,image,name\n1,a.png,Größe\n".encode("latin-1"))
    with pytest.raises(SourceUnreadable, match="not UTF-8; save it anew"):
        Index.build(table="shop.csv", place="shop", workers=1, store=False)
    assert places.names() == []

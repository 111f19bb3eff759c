"""A catalogue of real little pictures: built, brought up to date, searched."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import garment, photo

import lookalike
from lookalike import Limits
from lookalike.catalogue import places
from lookalike.catalogue.catalogue import Index
from lookalike.catalogue.entries import Columns
from lookalike.catalogue.filling import ABOUT
from lookalike.catalogue.replacing import delete
from lookalike.errors import (
    IndexMismatch,
    IndexNotFound,
    PictureError,
    SourceNotFound,
    SourceUnreadable,
    UsageError,
)
from lookalike.index.conditions import Condition
from lookalike.index.items import Filter
from lookalike.index.named import LEDGER

COLOURS = {"red": (200, 30, 40), "blue": (30, 60, 190), "green": (20, 140, 60)}
CUTS = ("dress", "trousers", "sweater")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LOOKALIKE_INDEXES", str(home / "indexes"))
    monkeypatch.setenv("LOOKALIKE_STORE", str(home / "store.sqlite3"))


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine garments in folders by their cut, and three photos."""
    folder = tmp_path_factory.mktemp("made") / "catalog"
    for cut in CUTS:
        for colour, value in COLOURS.items():
            save(folder / cut / f"{cut}-{colour}.png", garment(cut, value))
    for seed in range(3):
        save(folder / "photos" / f"photo{seed}.jpg", photo(seed * 100, 240, 200), quality=92)
    return folder


@pytest.fixture
def catalog(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "catalog")
    return tmp_path / "catalog"


@pytest.fixture(scope="module")
def shop(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of them with tags, for tests that only search."""
    home = tmp_path_factory.mktemp("shop")
    table = home / "products.csv"
    lines = ["id;image;tags;price;colour"]
    for number, path in enumerate(sorted(made.rglob("*.*")), 1):
        cut, _, colour = path.stem.partition("-")
        lines.append(f"{number};{path};{cut}|{colour}|all;{number * 10};{colour}")
    table.write_text("\n".join(lines), encoding="utf-8")
    with Index.build(place=home / "index", table=table, workers=1, store=False) as index:
        yield index


def ids(answers: object) -> list[str]:
    return [answer.id for answer in answers]  # type: ignore[attr-defined]


def named(index: Index, name: str) -> str:
    """The id of the picture whose file has this name."""
    return next(item.id for item in index.items() if Path(item.source).stem == name)


def test_a_folder_is_indexed_and_each_picture_finds_itself(catalog: Path) -> None:
    with Index.build(catalog, place="shop", workers=1) as index:
        assert index.filled is not None
        assert (index.filled.added, index.filled.failures) == (12, [])
        assert len(index) == 12
        for item in index.items():
            (answer,) = index.search(item.source, top=1)
            assert (answer.id, answer.score, answer.verdict) == (item.id, 1.0, "identical")
    assert places.names() == ["shop"]
    with Index.open("shop") as index:
        assert "catalog/dress/dress-red.png" in [item.id for item in index.items()]


def test_what_is_indexed_again_is_read_again_only_where_it_changed(catalog: Path) -> None:
    with Index.build(catalog, place="shop", workers=1):
        pass
    save(catalog / "dress" / "dress-red.png", garment("sweater", (10, 10, 10)))
    save(catalog / "dress" / "new.png", garment("dress", (120, 120, 10)))
    with Index.build(catalog, place="shop", workers=1) as index:
        done = index.filled
        assert done is not None
        assert (done.added, done.updated, done.unchanged) == (1, 1, 11)
        (answer,) = index.search(catalog / "dress" / "dress-red.png", top=1)
        assert answer.id == "catalog/dress/dress-red.png"
        assert len(index) == 13


def test_one_file_is_one_item_however_it_is_named(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.build(catalog, place="shop", workers=1) as index:
        assert index.add(catalog / "dress" / "dress-red.png", workers=1).unchanged == 1
        assert index.add([str(catalog / "dress"), str(catalog / "*" / "*.png")], workers=1).unchanged == 9
        monkeypatch.chdir(catalog / "dress")
        assert index.add(".", workers=1).unchanged == 3
        assert len(index) == 12
    save(catalog / "more" / "photo0.jpg", photo(700, 100, 100))
    save(catalog / "photos2" / "photo0.jpg", photo(800, 100, 100))
    with Index.open("shop", writing=True) as index:
        done = index.add([catalog / "more" / "photo0.jpg", catalog / "photos2" / "photo0.jpg"], workers=1)
        assert done.added == 2
        assert {"photo0.jpg", "photos2/photo0.jpg"} <= {item.id for item in index.items()}
        (catalog / "more" / "photo0.jpg").unlink()
        assert index.add(catalog, workers=1).gone == 1
        assert index.add(catalog / "dress", workers=1).gone == 0


def test_bad_pictures_are_failures_and_end_nothing(catalog: Path) -> None:
    (catalog / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (catalog / "text.png").write_text("this is text", encoding="utf-8")
    save(catalog / "cut.png", photo(7, 200, 200))
    (catalog / "cut.png").write_bytes((catalog / "cut.png").read_bytes()[:3000])
    with Index.build(catalog, place="shop", workers=1) as index:
        done = index.filled
        assert done is not None
        assert {Path(failure.source).name for failure in done.failures} == {"broken.jpg", "text.png", "cut.png"}
        assert {failure.kind for failure in done.failures} == {"DecodeFailed", "UnsupportedFormat"}
        assert done.added + len(done.failures) == 15
        assert len(index) == 12


def test_edited_copies_are_found_and_the_score_is_that_of_compare(shop: Index, made: Path, tmp_path: Path) -> None:
    whole = np.asarray(Image.open(made / "photos" / "photo1.jpg"))
    for pixels in (whole[20:180, 30:220], whole[:, ::-1], whole[::2, ::2]):
        query = save(tmp_path / "query.jpg", np.ascontiguousarray(pixels), quality=80)
        best = shop.search(query, top=3)[0]
        assert Path(best.source).name == "photo1.jpg"
        assert best.score == pytest.approx(lookalike.compare(query, best.source).score, abs=1e-6)
        assert best.verdict == "near-duplicate"
        assert best.reasons


def test_the_same_cut_in_other_colours(shop: Index, made: Path) -> None:
    found = shop.search(made / "dress" / "dress-blue.png", top=3, preset="style")
    assert {Path(answer.source).stem for answer in found} == {"dress-blue", "dress-red", "dress-green"}
    assert (found.preset, found.order) == ("style", "0.9 similarity + 0.1 score")


def test_without_comparing_the_order_is_that_of_the_vectors(shop: Index, made: Path) -> None:
    found = shop.search(made / "dress" / "dress-red.png", top=12, rerank=0)
    assert found.preset is None
    assert all(answer.score is None and answer.verdict is None for answer in found)
    similar = [answer.similarity for answer in found]
    assert similar == sorted(similar, reverse=True)
    assert similar[0] == pytest.approx(1, abs=1e-3)


def test_a_table_gives_ids_tags_and_data(shop: Index) -> None:
    assert len(shop) == 12
    item = shop.get([named(shop, "trousers-blue")])[0]
    assert item is not None
    assert item.tags == ("all", "blue", "trousers")
    assert item.data["colour"] == "blue"
    assert item.data["price"] == int(item.id) * 10  # a number, as in every other kind of table
    assert set(item.data) == {"price", "colour", ABOUT}
    assert shop.tags()["all"] == 12


def test_filters_and_facets(shop: Index, made: Path) -> None:
    query = made / "dress" / "dress-red.png"
    found = shop.search(query, only=Filter(every=("trousers",)), facets=True)
    assert {Path(answer.source).stem for answer in found} == {"trousers-blue", "trousers-red", "trousers-green"}
    assert found.count == 3
    assert found.facets == {"all": 3, "trousers": 3, "blue": 1, "green": 1, "red": 1}
    assert shop.count(Filter(data={"price": 30})) == 1
    found = shop.search(query, only=Filter(data={"colour": "green"}))
    assert {answer.data["colour"] for answer in found} == {"green"}
    cheap = Filter(conditions=(Condition("price", "<", 30),))
    assert {answer.data["price"] < 30 for answer in shop.search(query, only=cheap)} == {True}
    found = shop.search(query, only=Filter(conditions=(Condition("colr", "=", "green"),)))
    assert "no item has 'colr' (did you mean 'colour'?)" in found.notices[0]
    found = shop.search(query, only=Filter(every=("hats",)))
    assert len(found) == 0
    assert "there is no tag 'hats'" in found.notices[0]


def test_tags_weigh_in(shop: Index, made: Path) -> None:
    query = made / "dress" / "dress-red.png"
    plain, tagged = shop.search(query, top=12), shop.search(query, top=12, tags=("sweater", "blue"), tag_weight=1.0)
    assert Path(plain[0].source).stem == "dress-red"
    assert Path(tagged[0].source).stem == "sweater-blue"
    assert tagged[0].tag_similarity == pytest.approx(2 / 3)  # it has a third one
    assert (plain.order, tagged.order) == ("score", "0 score + 1 tags")
    assert shop.search(query, top=12, tags=("sweater",), tag_weight=0.0)[0].id == plain[0].id


def test_several_pictures_like_all_of_them_or_like_any(shop: Index, made: Path) -> None:
    two = [made / "photos" / "photo0.jpg", made / "photos" / "photo2.jpg"]
    best = shop.search(two, combine="best", top=2)
    assert {Path(answer.source).stem for answer in best} == {"photo0", "photo2"}
    assert [answer.score for answer in best] == [1.0, 1.0]
    mean = shop.search(two, combine="mean", top=2)
    assert all(answer.score < 1 and answer.verdict != "identical" for answer in mean)


def test_a_part_of_the_query_is_meant(shop: Index, made: Path, tmp_path: Path) -> None:
    side = np.hstack([photo(900, 240, 200), np.asarray(Image.open(made / "photos" / "photo1.jpg"))])
    query = save(tmp_path / "both.png", side)
    for crop in ((0.5, 0.0, 0.5, 1.0), (240, 0, 240, 200)):
        found = shop.search(query, crop=crop, top=1)
        assert Path(found[0].source).stem == "photo1"
        assert found[0].score > 0.9
    for crop in ((0.5, 0, 0.6, 1), (0, 0, 0, 1), (-1, 0, 5, 5), (0, 0, 5000, 10)):
        with pytest.raises(UsageError, match="is not in a picture of 480×200"):
            shop.search(query, crop=crop)


def test_like_an_item_and_unlike_another(shop: Index) -> None:
    dress, trousers = named(shop, "dress-red"), named(shop, "trousers-red")
    found = shop.search(ids=(dress,), top=11)
    assert dress not in ids(found)
    assert ids(shop.search(ids=(dress,), top=1, preset="style")) != [trousers]
    plain = ids(found).index(trousers)
    away = ids(shop.search(ids=(dress,), unlike_ids=(trousers,), top=11)).index(trousers)
    assert away > plain
    with pytest.raises(UsageError, match="no item 'nobody'"):
        shop.search(ids=("nobody",))


def test_copies_are_folded_under_the_best(catalog: Path, tmp_path: Path) -> None:
    whole = Image.open(catalog / "photos" / "photo1.jpg")
    whole.save(catalog / "photos" / "again.jpg", quality=60)
    whole.resize((150, 125)).save(catalog / "photos" / "small.jpg", quality=90)
    with Index.build(catalog, place=tmp_path / "index", workers=1, store=False) as index:
        plain = index.search(catalog / "photos" / "photo1.jpg", top=5)
        folded = index.search(catalog / "photos" / "photo1.jpg", top=5, fold=True)
    assert {Path(answer.source).stem for answer in plain[:3]} == {"photo1", "again", "small"}
    assert Path(folded[0].source).stem == "photo1"
    assert {Path(answer.source).stem for answer in folded[0].folded} == {"again", "small"}
    assert len(folded) == 5
    assert not {answer.id for answer in folded} & {answer.id for answer in folded[0].folded}


def test_a_least_score_leaves_out_the_rest(shop: Index, made: Path) -> None:
    found = shop.search(made / "photos" / "photo0.jpg", least=0.9, top=12)
    assert [Path(answer.source).stem for answer in found] == ["photo0"]


def test_a_picture_that_went_away_stays_among_the_answers(catalog: Path, tmp_path: Path) -> None:
    with Index.build(catalog, place=tmp_path / "index", workers=1, store=False) as index:
        query = tmp_path / "query.jpg"
        shutil.copy(catalog / "photos" / "photo1.jpg", query)
        (catalog / "photos" / "photo1.jpg").unlink()
        assert index.search(query, top=12)[0].score == 1  # the same bytes: nobody has to look
        query = save(tmp_path / "other.jpg", np.asarray(Image.open(query))[10:, 10:])
        found = index.search(query, top=12)
        assert len(found) == 12
        gone = next(answer for answer in found if Path(answer.source).stem == "photo1")
        assert gone.score is None
        assert [Path(failure.source).stem for failure in found.failures] == ["photo1"]


def test_addresses_are_indexed_with_a_small_copy_and_not_asked_again(made: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, directory=str(made / "photos"), **options)  # type: ignore[arg-type]

        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        table = tmp_path / "urls.csv"
        rows = "".join(f"p{number},{base}/photo{number}.jpg\n" for number in range(4))
        table.write_text(f"id,url\n{rows}", encoding="utf-8")
        limits = Limits(allow_private_hosts=True)
        with Index.build(place=tmp_path / "index", table=table, workers=1, store=False, limits=limits) as index:
            assert index.filled is not None
            assert [failure.kind for failure in index.filled.failures] == ["HTTPStatus"]
            assert len(asked) == 4
            query = save(tmp_path / "query.jpg", np.asarray(Image.open(made / "photos" / "photo2.jpg"))[15:, :200])
            best = index.search(query, top=1)[0]
            assert (best.id, best.verdict) == ("p2", "near-duplicate")
            assert len(asked) == 4
        server.shutdown()


def test_folders_become_tags_where_asked(catalog: Path) -> None:
    with Index.build(catalog, place="shop", workers=1, folder_tags=True) as index:
        assert index.tags() == {"dress": 3, "photos": 3, "sweater": 3, "trousers": 3}


def test_other_methods_are_indexed_too(catalog: Path, tmp_path: Path) -> None:
    with Index.build(catalog, place=tmp_path / "pdq", method="pdq", workers=1, store=False) as index:
        assert (index.info().space.metric, index.info().space.dimension) == ("hamming", 256)
        whole = np.asarray(Image.open(catalog / "photos" / "photo0.jpg"))
        query = save(tmp_path / "query.jpg", whole, quality=50)
        assert Path(index.search(query, top=1, rerank=0)[0].source).stem == "photo0"
        with pytest.raises(UsageError, match="nothing can be taken off"):
            index.search(query, unlike=(query,))
    with pytest.raises(UsageError, match="cannot be indexed"):
        Index.build(catalog, place=tmp_path / "ssim", method="ssim")
    assert not (tmp_path / "ssim").exists()


def test_an_index_of_another_model_is_refused(catalog: Path) -> None:
    with Index.build(catalog, place="shop", workers=1):
        pass
    with pytest.raises(IndexMismatch, match="build the index anew"):
        Index.build(catalog, place="shop", options={"size": 128})
    with Index.open("shop") as index:
        assert len(index) == 12


def test_names_that_are_not_there_get_near_ones() -> None:
    with pytest.raises(IndexNotFound, match="make one with"):
        Index.open("shop")
    for name in ("winter", "summer"):
        (places.root() / name).mkdir(parents=True)
        (places.root() / name / LEDGER).touch()
    with pytest.raises(IndexNotFound, match="did you mean 'summer'"):
        Index.open("sumer")
    with pytest.raises(UsageError, match="is no name for an index"):
        Index.open("a b?")
    with pytest.raises(IndexNotFound, match="no index in"):
        Index.open("./nowhere")


def test_words_need_a_model_that_knows_them(shop: Index) -> None:
    with pytest.raises(UsageError, match="knows pictures and no words"):
        shop.search(text="red striped dress")


def test_nothing_to_search_for_is_said(shop: Index, made: Path) -> None:
    query = made / "photos" / "photo0.jpg"
    with pytest.raises(UsageError, match="nothing is searched for"):
        shop.search()
    for wrong in ({"top": 0}, {"rerank": -1}, {"tag_weight": 2}, {"least": 3}, {"combine": "most"}):
        with pytest.raises(UsageError):
            shop.search(query, **wrong)
    assert len(shop.search(query, top=1_000_000_000, rerank=0)) == 12
    with pytest.raises(SourceNotFound):
        shop.search(made / "nothing.jpg")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_tables_of_every_kind(made: Path, tmp_path: Path, suffix: str) -> None:
    paths = sorted((made / "photos").iterdir())
    table = tmp_path / f"table{suffix}"
    rows = [{"sku": f"s{n}", "file": str(path), "tags": f"a, b{n}", "stock": n} for n, path in enumerate(paths)]
    if suffix == ".parquet":
        arrow = pytest.importorskip("pyarrow")
        import pyarrow.parquet as parquet

        parquet.write_table(arrow.Table.from_pylist(rows), table)
    elif suffix == ".jsonl":
        import json

        table.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    else:
        import csv

        with table.open("w", newline="", encoding="utf-8-sig") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), delimiter="," if suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    with Index.build(place=tmp_path / "index", table=table, workers=1, store=False) as index:
        assert [item.id for item in index.items()] == ["s0", "s1", "s2"]
        assert index.get(["s1"])[0].tags == ("a", "b1")  # type: ignore[union-attr]
        assert index.get(["s2"])[0].data["stock"] == 2  # type: ignore[union-attr]


def test_numbers_in_a_csv_are_numbers_but_for_ids_and_tags(made: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    one = made / "photos" / "photo1.jpg"
    table.write_text(f"sku,file,tags,price,ean,phone,left\n12.10,{one},1.50|x,39.90,5901234123457,007,-3\n", "utf-8")
    with Index.build(place=tmp_path / "index", table=table, workers=1, store=False) as index:
        (item,) = index.items()
    assert (item.id, item.tags) == ("12.10", ("1.50", "x"))
    assert {name: item.data[name] for name in ("price", "ean", "phone", "left")} == {
        "price": 39.9, "ean": "5901234123457", "phone": "007", "left": -3}  # fmt: skip


def test_tables_that_name_no_pictures(tmp_path: Path) -> None:
    cases = {
        "no.csv": ("colour,price\nred,3\n", UsageError, "none of them is known to name pictures"),
        "empty.csv": ("", UsageError, "no rows"),
        "bad.jsonl": ("{1", SourceUnreadable, "not a table of pictures"),
        "letters.csv": (None, SourceUnreadable, "UTF-8"),
        "what.txt": ("a", UsageError, "use one of"),
    }
    for name, (text, kind, words) in cases.items():
        table = tmp_path / name
        table.write_bytes("id,url\nü,ü\n".encode("latin-1") if text is None else text.encode())
        with pytest.raises(kind, match=words):
            Index.build(place=tmp_path / f"index of {name}", table=table, store=False)
    table = tmp_path / "no.csv"
    with pytest.raises(UsageError, match="no column 'picture of it'"):
        Index.build(place=tmp_path / "x", table=table, columns=Columns(source="picture of it"), store=False)


def test_a_row_with_an_id_twice_or_without_a_picture_is_a_failure(made: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    one = made / "photos" / "photo1.jpg"
    table.write_text(f"id,file\n1,{one}\n1,{one}\n2,\n3,{tmp_path / 'gone.jpg'}\n", encoding="utf-8")
    with Index.build(place=tmp_path / "index", table=table, workers=1, store=False) as index:
        done = index.filled
    assert done is not None
    assert done.added == 1
    assert [failure.kind for failure in done.failures] == ["DuplicateId", "SourceUnreadable", "SourceNotFound"]


def test_cells_of_any_kind_and_names_that_are_no_text(made: Path, tmp_path: Path) -> None:
    import datetime
    import decimal

    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    one = str(made / "photos" / "photo1.jpg")
    rows = [
        {"id": 7, "path": one, "day": datetime.date(2026, 1, 2), "price": decimal.Decimal("1.10"), "size": float("nan"),
         "sizes": [1.5, None]},
    ]  # fmt: skip
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "t.parquet")
    with Index.build(place=tmp_path / "index", table=tmp_path / "t.parquet", workers=1, store=False) as index:
        (item,) = index.items()
        assert item.id == "7"
        data = {name: value for name, value in item.data.items() if name != ABOUT}
        assert data == {"day": "2026-01-02", "price": 1.1, "size": None, "sizes": [1.5, None]}
        from lookalike.catalogue.entries import Entry

        bad = [
            Entry(one, "x\0"),
            Entry(one, "y", ("\udcff",)),
            Entry(one, "z", data={"a": float("inf")}),
            Entry(one, "w"),
        ]
        done = index.add(entries=bad)
        assert (done.added, [failure.kind for failure in done.failures]) == (1, ["UsageError"] * 3)


def test_entries_come_one_at_a_time(made: Path, tmp_path: Path) -> None:
    from lookalike.catalogue.entries import Entry

    with Index.build(place=tmp_path / "index", store=False) as index:
        done = index.add(entries=(Entry(str(path), str(n)) for n, path in enumerate((made / "photos").iterdir())))
        assert done.added == len(index) == 3
        assert index.remove(["0", "nobody"]) == 1
        assert len(index) == 2


def test_an_index_is_deleted_and_the_pictures_stay(catalog: Path) -> None:
    with Index.build(catalog, place="shop", workers=1):
        pass
    delete("shop")
    assert places.names() == []
    assert len(list(catalog.rglob("*.*"))) == 12
    with pytest.raises(IndexNotFound):
        delete("shop")


def test_what_is_left_of_a_broken_index_can_be_deleted(catalog: Path) -> None:
    for broken in ("items.sqlite3", "vectors-0.bin"):
        with Index.build(catalog, place="shop", workers=1):
            pass
        (places.root() / "shop" / broken).unlink()
        delete("shop")
        assert not (places.root() / "shop").exists()


def test_a_bad_query_is_said_and_the_index_goes_on(shop: Index, made: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(PictureError, match=r"bad\.jpg"):
        shop.search(tmp_path / "bad.jpg")
    assert len(shop.search(made / "photos" / "photo0.jpg", top=2)) == 2

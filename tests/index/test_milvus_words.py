"""What a Milvus is told: addresses, expressions, fields and kinds, without any Milvus."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from milvus_items import COSINE, HAMMING

from lookalike.errors import (
    UsageError,
)
from lookalike.index.base import Space
from lookalike.index.items import Filter
from lookalike.index.milvus import layout as milvus_layout
from lookalike.index.milvus.filter import expression, quoted
from lookalike.index.milvus.link import TOKEN, Address, parse_address

pytest.importorskip("pymilvus")

# Addresses

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True)
HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,6})?", fullmatch=True) | st.just("10.0.0.1") | st.just("[::1]")


@given(HOSTS, st.integers(1, 65_535), NAMES, st.just("") | NAMES, st.sampled_from(["http", "https"]))
def test_an_address_of_a_server_says_what_it_was_made_from(
    host: str, port: int, collection: str, db: str, scheme: str
) -> None:
    address = Address(f"{scheme}://{host}:{port}", collection, db)
    assert parse_address(str(address)) == address
    assert address.file is None


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/"), min_size=1, max_size=20),
    NAMES,
)
@example("a b#c?d%20e/f@g", "shop")
def test_an_address_of_a_file_says_what_it_was_made_from(name: str, collection: str) -> None:
    address = Address(f"/folder/{name}.db", collection)
    assert parse_address(str(address)) == address
    assert address.file == Path(f"/folder/{name}.db")


@given(st.text(max_size=60) | st.text("milvus:/@?#[].db=19530 ", max_size=40).map("milvus://".__add__))
def test_whatever_is_no_address_is_refused_with_a_remedy(text: str) -> None:
    try:
        address = parse_address(text)
    except UsageError as error:
        refused = error
    else:
        assert parse_address(str(address)) == address
        return
    assert refused.remedy


@pytest.mark.parametrize(
    ("text", "uri", "collection", "db"),
    [
        ("milvus://db:19530/shop", "http://db:19530", "shop", ""),
        ("milvus://db/shop", "http://db:19530", "shop", ""),
        ("milvus+https://db/shop?db=eu", "https://db:19530", "shop", "eu"),
        ("milvuss://db:443/shop", "https://db:443", "shop", ""),
        ("milvus://[::1]/shop", "http://[::1]:19530", "shop", ""),
        ("milvus:///a/b.db/shop", "/a/b.db", "shop", ""),
    ],
)
def test_every_form_of_address(text: str, uri: str, collection: str, db: str) -> None:
    assert parse_address(text) == Address(uri, collection, db)


@pytest.mark.parametrize(
    "text",
    [
        *("", "shop", "http://db/shop", "milvus://", "milvus://db", "milvus://db/", "milvus://db/a/b", "milvus://:1/a"),
        *("milvus://db:port/a", "milvus://db:99999/a", "milvus://db/1a", "milvus://db/a-b", "milvus://db/a?x=1"),
        *("milvus://db/a?db=", "milvus://db/a?db=b&db=c", "milvus://db/a#b", "milvus:///a.txt/shop", "milvus:///a.db"),
        *("milvus:///.db/shop", "milvuss:///a/b.db/shop", "milvus:///a/b.db/shop?db=c", "milvus://db/a b"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match=TOKEN) as caught:
        parse_address("milvus://root:s3cret@db/shop")
    assert "s3cret" not in str(caught.value)


@given(st.text(max_size=30))
def test_a_literal_ends_where_it_should(text: str) -> None:
    literal = quoted(text)
    inner = literal[1:-1]
    assert not set("\n\r") & set(inner)
    assert json.loads(literal, strict=False) == text  # the escapes are among those of JSON


def test_a_tag_that_cannot_be_kept_is_on_no_item() -> None:
    assert expression(Filter(every=("\ud800",))).nothing
    assert expression(Filter(some=("\ud800",))).nothing
    assert expression(Filter(some=("\ud800", "a"))).text == 'array_contains_any(tags, ["a"])'
    assert expression(Filter(none=("\ud800",))).text == ""


# What a server is told, which Milvus Lite knows less of


@pytest.mark.parametrize(
    ("space", "kind", "index"),
    [
        (COSINE, "auto", "HNSW"),
        (COSINE, "flat", "FLAT"),
        (COSINE, "int8", "IVF_SQ8"),
        (COSINE, "ivfpq", "IVF_PQ"),
        (HAMMING, "auto", "BIN_FLAT"),
        (HAMMING, "ivf", "BIN_IVF_FLAT"),
    ],
    ids=str,
)
def test_the_index_that_a_server_is_asked_for(space: Space, kind: str, index: str) -> None:
    plan = milvus_layout.plan(space, kind, lite=False)
    assert plan.index == index
    assert plan.floats == (space.metric == "cosine")
    assert plan.metric == ("COSINE" if plan.floats else "HAMMING")
    assert plan.why
    fields = {field.name: field for field in milvus_layout.item_schema(space, plan).fields}
    assert list(fields) == milvus_layout.FIELDS
    assert fields["vector"].params["dim"] == space.dimension


@pytest.mark.parametrize(
    ("space", "kind", "lite"),
    [(COSINE, "hashing", False), (HAMMING, "hnsw", False), (COSINE, "ivfpq", True), (HAMMING, "ivf", True)],
    ids=str,
)
def test_a_kind_that_is_none_is_refused(space: Space, kind: str, lite: bool) -> None:
    with pytest.raises(UsageError, match="choose one of auto, flat"):
        milvus_layout.plan(space, kind, lite=lite)


@given(st.binary(min_size=8, max_size=8), st.booleans())
def test_bits_come_back_as_they_were(bits: bytes, floats: bool) -> None:
    row = np.frombuffer(bits, np.uint8)
    kept = milvus_layout.kept(row, floats=floats)
    for given_back in (kept,) if floats else (kept, [kept]):
        assert milvus_layout.vector_of({"vector": given_back}, HAMMING).tolist() == row.tolist()


def test_the_parts_of_a_product_quantiser_divide_the_dimension() -> None:
    for dimension in (1, 7, 64, 100, 127, 1280, 32_768):
        assert dimension % milvus_layout.plan(Space(dimension), "ivfpq", lite=False).parameters["m"] == 0

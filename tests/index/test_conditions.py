"""What is asked of an item's data, as a person writes it and as it is meant."""

from __future__ import annotations

import datetime
import decimal
import json
import sqlite3
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.index.conditions import SIGNS, Condition, read_condition
from lookalike.index.items import Filter

VALUES = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
)  # fmt: skip
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_. -]{0,8}[A-Za-z0-9]", fullmatch=True)


@given(NAMES, st.sampled_from(SIGNS), VALUES, st.sampled_from(["", " ", "  "]))
@example("a", "=", "<3", "")
@example("a", "<", "=3", "")
@example("a", "!=", "3", "")
def test_a_condition_is_read_as_it_is_written(name: str, sign: str, value: Any, space: str) -> None:
    written = f"{name}{space}{sign}{space}{json.dumps(value)}"
    read = read_condition(written)
    assert (read.name, read.sign, read.value, read.written) == (name, sign, value, json.dumps(value))
    assert type(read.value) is type(value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("colour=red", Condition("colour", "=", "red")),
        ("colour==red", Condition("colour", "=", "red")),
        ("price<40", Condition("price", "<", 40)),
        ("price >= 39.90", Condition("price", ">=", 39.9)),
        ("added>2026-01-31", Condition("added", ">", "2026-01-31")),
        ("note=a<b", Condition("note", "=", "a<b")),
        ("size=", Condition("size", "=", "")),
        ("size=NaN", Condition("size", "=", "NaN")),
        ('code="007"', Condition("code", "=", "007")),
        ("sold!=true", Condition("sold", "!=", True)),
        ("a=" + "[" * 100_000, Condition("a", "=", "[" * 100_000)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_person_would_write(text: str, meant: Condition) -> None:
    assert replace(read_condition(text), written="") == meant


@pytest.mark.parametrize(
    ("text", "data", "holds"),
    [
        ("ean=4006381333931", {"ean": "4006381333931"}, True),  # kept as text, for it counts nothing
        ("ean=4006381333931", {"ean": 4006381333931}, True),
        ("ean=4006381333932", {"ean": "4006381333931"}, False),
        ("ean!=4006381333931", {"ean": "4006381333931"}, False),
        ("code=050", {"code": "050"}, True),
        ("code=50", {"code": "050"}, False),
        ("note=null", {"note": "null"}, True),
        ("note=true", {"note": True}, True),
        ('note="true"', {"note": True}, False),
        ("price=null", {}, True),
        ("price=null", {"price": None}, True),
        ("price=null", {"price": 3}, False),
        ("price!=null", {}, False),
        ("price!=null", {"price": 3}, True),
        ("added>=2026", {"added": "2026-01-31"}, True),
        ("added>=2026", {"added": "2025-12-31T10:00"}, False),
        ("added<2026", {"added": 1999}, True),
        ("added>=2026-12", {"added": "2026-12-01"}, True),
        ("price<40", {"price": "39.90 EUR"}, False),
        ("price<2000", {"price": "1.299,00"}, False),
    ],
)
def test_what_a_person_means(text: str, data: dict[str, Any], holds: bool) -> None:
    assert read_condition(text).holds(data) is holds


@pytest.mark.parametrize("text", ["price=<6", "price=>6", "price<>6", "price===6", "price=!6", "price>!6", "price<<6"])
def test_a_sign_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="compares nothing") as caught:
        read_condition(text)
    assert "!= < <= > >=" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (datetime.date(2026, 1, 31), "2026-01-31"),
        (datetime.datetime(2026, 1, 31, 10, 5), "2026-01-31T10:05:00"),
        (decimal.Decimal("39.90"), 39.9),
        (decimal.Decimal("40"), 40),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
    ],
)
def test_values_of_a_database_are_plain_ones(value: Any, kept: Any) -> None:
    condition = Condition("a", "=", value)
    assert condition.value == kept
    assert type(condition.value) is type(kept)
    assert condition.holds({"a": kept})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), decimal.Decimal("NaN"), b"x", {1, 2}, object()])
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="price cannot be compared"):
        Condition("price", "<", value)


def test_a_filter_takes_what_is_meant_and_refuses_the_rest() -> None:
    cheap = Condition("price", "<", 40)
    assert Filter(every="red").every == ("red",)
    assert Filter(none=["a", "b"]).none == ("a", "b")
    assert Filter(conditions=cheap).conditions == (cheap,)
    assert [str(each) for each in Filter(conditions=("price<40", cheap), data={"a": 1}).of_data] == [
        "a=1", "price<40", "price<40",
    ]  # fmt: skip
    for wrong in ({"data": "a=1"}, {"conditions": (3,)}, {"conditions": ("price~40",)}):
        with pytest.raises(UsageError):
            Filter(**wrong)


@pytest.mark.parametrize("text", ["", "red", "=3", "  = 3", "<", "!=x"])
def test_what_is_no_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="no condition") as caught:
        read_condition(text)
    assert "price<40" in str(caught.value.remedy)


def test_a_sign_that_compares_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="'~' compares nothing"):
        Condition("a", "~", 1)


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)


@given(st.tuples(NUMBERS, NUMBERS) | st.tuples(TEXTS, TEXTS), st.sampled_from(SIGNS))
def test_numbers_and_texts_are_compared_as_sqlite_compares_them(pair: tuple[Any, Any], sign: str) -> None:
    found, value = pair
    connection = sqlite3.connect(":memory:")
    (right,) = connection.execute(f"SELECT ? {sign} ?", (found, value)).fetchone()
    connection.close()
    assert Condition("a", sign, value).holds({"a": found}) == bool(right)


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
@pytest.mark.parametrize(
    ("found", "value"), [(1, "1"), ("1", 1), (True, 0), (0, True), (None, 0), ([1], 0), ({}, ""), ([1], [0])]
)
def test_what_has_no_order_passes_no_order(found: Any, value: Any, sign: str) -> None:
    assert not Condition("a", sign, value).holds({"a": found})


@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_not_there_is_null(sign: str) -> None:
    for value in (1, "1", True, None):
        assert Condition("a", sign, value).holds({"b": 1}) == Condition("a", sign, value).holds({"a": None})
    assert Condition("a", sign, 1).holds({}) == (sign == "!=")
    assert Condition("a", sign, None).holds({}) == (sign == "=")

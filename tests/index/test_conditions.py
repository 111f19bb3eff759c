"""What is asked of an item's data, as a person writes it and as it is meant."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.index.conditions import SIGNS, Condition, read_condition

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
    assert read_condition(written) == Condition(name, sign, value)
    assert type(read_condition(written).value) is type(value)


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
    assert read_condition(text) == meant


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
def test_what_is_not_there_passes_unlike_alone(sign: str) -> None:
    assert Condition("a", sign, 1).holds({"b": 1}) == (sign == "!=")
    assert Condition("a", sign, None).holds({}) == (sign == "!=")

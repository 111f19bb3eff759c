"""What is asked of an item's data: ``price<40``, ``colour=red``, ``sold!=true``."""

from __future__ import annotations

import datetime
import decimal
import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lookalike.errors import UsageError, printable

_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

SIGNS = ("=", "!=", *_ORDERS)
"""How an entry and a value may be compared."""

_YEAR, _DAY = re.compile(r"[12]\d{3}"), re.compile(r"[12]\d{3}-\d\d\b")
_WRITTEN = re.compile(r"\s*(.*?)\s*(<=|>=|!=|==|=|<|>)\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """An entry of the data, a sign, and a value.

    Numbers have an order among each other and so have texts, character by character, as dates like 2026-01-31 are
    written for; between a number and a text there is none, and nothing passes. An entry that is not there is None, as
    JSON's null is: ``price=null`` asks for what has no price.

    Attributes:
        name: of the entry.
        sign: one of :data:`SIGNS`.
        value: what the entry is compared with, as JSON knows it; dates as their text.
        written: how the value was written, where a person did: an article number that is kept as text equals the number
            that was written so, and 2026-01-31 is after 2026.

    Raises:
        UsageError: no such sign, or a value that JSON has no word for.

    >>> Condition("price", "<", 40).holds({"price": 39.9})
    True
    """

    name: str
    sign: str
    value: Any
    written: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.written or json.dumps(self.value, ensure_ascii=False)}"

    def __post_init__(self) -> None:
        if self.sign not in SIGNS:
            raise UsageError(f"{printable(str(self.sign), 20)!r} compares nothing", remedy=f"one of {' '.join(SIGNS)}")
        try:
            object.__setattr__(self, "value", as_plain(self.value))
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(f"{printable(self.name, 60)} cannot be compared with that: {error}") from error

    @property
    def also_as_text(self) -> bool:
        """Whether it may hold of a text for how its value was written, though the value is none."""
        written = bool(self.written) and not isinstance(self.value, str)
        return written and (self.sign in ("=", "!=") or _YEAR.fullmatch(self.written) is not None)

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Whether it is true of an item with this data."""
        found: Any = data.get(self.name)
        if self.sign in ("=", "!="):
            same = same_value(found, self.value) or (self.also_as_text and found == self.written)
            return same == (self.sign == "=")
        value: Any = self.written if self.also_as_text and _is_day(found) else self.value
        return _have_an_order(found, value) and bool(_ORDERS[self.sign](found, value))


def read_condition(text: str) -> Condition:
    """A condition as a person writes it; the value as JSON where it is some, else as text.

    Raises:
        UsageError: it is none.

    >>> read_condition("price <= 40").value, read_condition("colour=red").value
    (40, 'red')
    """
    written = _WRITTEN.fullmatch(text)
    if written is None or not written[1]:
        raise UsageError(
            f"{printable(text, 60)!r} is no condition", remedy="for example colour=red, or 'price<40' in quotes"
        )
    name, sign, value = written.groups()
    if value[:1] in ("<", ">", "=", "!"):
        raise UsageError(
            f"{printable(text, 60)!r} has a sign that compares nothing",
            remedy=f"one of {' '.join(SIGNS)}; a text that begins so goes in quotes of its own",
        )
    return Condition(name, "=" if sign == "==" else sign, _value(value), value)


def as_plain(value: Any) -> Any:
    """A value as JSON gives it back: days as their text, exact numbers and those of NumPy as plain ones.

    Raises:
        TypeError, ValueError: JSON has no word for it.

    >>> as_plain([datetime.date(2026, 1, 31), decimal.Decimal("39.90")])
    ['2026-01-31', 39.9]
    """
    return json.loads(as_json(value))


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"JSON has no {type(value).__name__}")


_JSON = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True, default=_plain
)  # fmt: skip


def as_json(data: Any) -> str:
    """``data`` in one line; a ValueError or TypeError where it holds what JSON has no word for, such as NaN."""
    return _JSON.encode(data)


def same_value(a: Any, b: Any) -> bool:
    """Equality as JSON has it: 1 and 1.0 are one number, 1 and true are two things.

    >>> same_value(1, 1.0), same_value(1, True)
    (True, False)
    >>> same_value([1], [True])
    False
    """
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same_value(a[name], b[name]) for name in a)
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and _DAY.match(value) is not None


def _have_an_order(a: Any, b: Any) -> bool:
    return (isinstance(a, str) and isinstance(b, str)) or (_is_number(a) and _is_number(b))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(name: str) -> Any:
    """NaN and Infinity, which Python reads and JSON has not: a text like any other."""
    raise ValueError(name)

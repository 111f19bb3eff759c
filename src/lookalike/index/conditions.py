"""What is asked of an item's data: ``price<40``, ``colour=red``, ``sold!=true``."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import UsageError, printable

_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

SIGNS = ("=", "!=", *_ORDERS)
"""How an entry and a value may be compared."""

_WRITTEN = re.compile(r"\s*(.*?)\s*(<=|>=|!=|==|=|<|>)\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """An entry of the data, a sign, and a value.

    Numbers have an order among each other and so have texts, character by character, as dates like 2026-01-31 are
    written for; between a number and a text there is none, and nothing passes. What has no such entry passes ``!=``
    alone.

    Attributes:
        name: of the entry.
        sign: one of :data:`SIGNS`.
        value: what the entry is compared with.

    Raises:
        UsageError: no such sign.

    >>> Condition("price", "<", 40).holds({"price": 39.9})
    True
    """

    name: str
    sign: str
    value: Any

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.value if isinstance(self.value, str) else json.dumps(self.value)}"

    def __post_init__(self) -> None:
        if self.sign not in SIGNS:
            raise UsageError(f"{printable(str(self.sign), 20)!r} compares nothing", remedy=f"one of {' '.join(SIGNS)}")

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Whether it is true of an item with this data."""
        if self.name not in data:
            return self.sign == "!="
        found = data[self.name]
        if self.sign in ("=", "!="):
            return same_value(found, self.value) == (self.sign == "=")
        return _have_an_order(found, self.value) and bool(_ORDERS[self.sign](found, self.value))


def read_condition(text: str) -> Condition:
    """A condition as a person writes it; the value as JSON where it is some, else as text.

    Raises:
        UsageError: it is none.

    >>> read_condition("price <= 40"), read_condition("colour=red")
    (Condition(name='price', sign='<=', value=40), Condition(name='colour', sign='=', value='red'))
    """
    written = _WRITTEN.fullmatch(text)
    if written is None or not written[1]:
        raise UsageError(
            f"{printable(text, 60)!r} is no condition", remedy="for example colour=red, or 'price<40' in quotes"
        )
    name, sign, value = written.groups()
    return Condition(name, "=" if sign == "==" else sign, _value(value))


def same_value(a: Any, b: Any) -> bool:
    """Equality as JSON has it: 1 and 1.0 are one number, 1 and true are two things.

    >>> same_value(1, 1.0), same_value(1, True)
    (True, False)
    """
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


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

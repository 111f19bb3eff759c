"""What a Milvus is asked for in words: :class:`~lookalike.index.items.Filter` as its boolean expression.

An expression lets through whatever passes the filter, and may let through more: Milvus Lite takes 1 for true, and
servers differ in how they read the name of an entry with a quote in it. ``exact`` tells whether it lets through
nothing else; where it does not, the caller looks again with ``Filter.passes``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lookalike.index.conditions import Condition
from lookalike.index.items import Filter

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_EXACT_INTEGERS = 2**53


@dataclass(frozen=True, slots=True)
class Expression:
    """A filter as Milvus reads it.

    Attributes:
        text: the expression; empty for everything.
        exact: whether only what passes the filter passes it.
        nothing: whether nothing can pass, so that nobody need be asked.
    """

    text: str = ""
    exact: bool = True
    nothing: bool = False


def expression(only: Filter) -> Expression:
    """The filter as an expression over the fields ``tags`` and ``data``.

    >>> expression(Filter(every=("dress",), data={"price": 3})).text
    'array_contains(tags, "dress") and data["price"] == 3'
    """
    some = [tag for tag in only.some if _storable(tag)]
    if not all(map(_storable, only.every)) or (only.some and not some):
        return Expression(nothing=True)  # a tag that cannot be kept is on no item
    terms = [f"array_contains(tags, {quoted(tag)})" for tag in only.every]
    if some:
        terms.append(f"array_contains_any(tags, [{', '.join(map(quoted, some))}])")
    terms += [f"(not array_contains(tags, {quoted(tag)}))" for tag in only.none if _storable(tag)]
    asked = only.of_data
    terms += [term for term in map(_term, asked) if term]
    return Expression(" and ".join(terms), exact=not asked)


def one_of(ids: Iterable[str]) -> str:
    """The items of these ids."""
    return f"id in [{', '.join(map(quoted, ids))}]"


def quoted(text: str) -> str:
    r"""``text`` as a literal. Only the escapes that every Milvus reads; all other characters stand as they are.

    >>> print(quoted('6" \\ 10'))
    "6\" \\ 10"
    """
    return f'"{text.translate(_ESCAPES)}"'


def _term(condition: Condition) -> str:
    """A condition, where Milvus lets through at least all of which it is true; empty else."""
    name, sign, value = condition.name, condition.sign, condition.value
    if sign == "!=" or not isinstance(name, str) or not _PLAIN.fullmatch(name):  # what has no such entry passes !=
        return ""
    field, mark = f'data["{name}"]', "==" if sign == "=" else sign
    if isinstance(value, float) and abs(value) < _EXACT_INTEGERS and value != int(value):
        below, above = math.floor(value), math.ceil(value)  # fractions may be read to another last digit
        asked = {"<": f"{field} <= {above}", ">": f"{field} >= {below}"}.get(sign[0])
        asked = asked or f"{field} >= {below} and {field} <= {above}"
    elif (literal := _literal(value)) is not None:
        asked = f"{field} {mark} {literal}"
    else:
        return ""
    return f"({asked} or {field} {mark} {quoted(condition.written)})" if condition.also_as_text else asked


def _literal(value: Any) -> str | None:
    """A value of JSON, where Milvus finds at least all that are the same; None else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value) if _storable(value) else None
    if isinstance(value, (int, float)) and abs(value) < _EXACT_INTEGERS:
        return repr(int(value)) if value == int(value) else None
    return None


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

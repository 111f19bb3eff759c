"""What a node of a cluster does: it reads the pictures of a partition, wherever they lie, and describes them."""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2

from lookalike.catalogue.entries import Entry
from lookalike.catalogue.filling import BATCH, READERS
from lookalike.catalogue.parts import MARK, SPACE, Result, Row, packed
from lookalike.catalogue.recipe import Described, Job, Recipe, describe
from lookalike.collection.crew import Crew, Lost
from lookalike.errors import (
    DecodeFailed,
    LookalikeError,
    MissingExtra,
    PictureError,
    SourceNotFound,
    SourceUnreadable,
    printable,
)
from lookalike.images.load import is_url, read_source
from lookalike.images.scan import Found
from lookalike.optional import need
from lookalike.threads import in_order
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.images.limits import Limits
    from lookalike.index.base import Space

STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "oci", "hdfs", "file", "local", "memory")
"""Schemes that fsspec reads. Others of its own lead to the network past the rules for addresses, or to archives."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


class Worker:
    """Reads and describes the pictures of partitions; lives in a process of a node, and keeps the model open.

    Args:
        method, options: of the recipe.
        limits: what a picture may cost.
    """

    def __init__(self, method: str, options: Mapping[str, Any], limits: Limits) -> None:
        cv2.setNumThreads(1)  # there is an actor a core
        self.recipe, self.limits = Recipe(method, options), limits

    def space(self) -> Space:
        """What the vectors of this node are."""
        return self.recipe.space

    def partition(self, rows: Sequence[Row], fingerprint: str, careful: bool = False) -> bytes:
        """One partition, as the content of its file.

        Args:
            rows: its entries.
            fingerprint: what they are recognised by.
            careful: decode in processes of their own, so that a picture that ends one is found and becomes a failure.
        """
        results: list[Result | None] = [_came_before(row.entry) if row.twice else None for row in rows]
        founds: list[Found | None] = [None] * len(rows)
        under_way: deque[list[int]] = deque()

        def read(number: int) -> tuple[int, bytes | Failure]:
            try:
                content, founds[number] = self._read(rows[number].entry)
                return number, content
            except PictureError as error:
                return number, Failure.of(error)

        def jobs() -> Iterator[Job]:
            wanted = [number for number, result in enumerate(results) if result is None]
            batch: list[tuple[int, bytes]] = []
            with ThreadPoolExecutor(READERS, thread_name_prefix="lookalike-reading") as pool:
                for number, content in in_order(pool, read, wanted, 2 * READERS):
                    if isinstance(content, Failure):
                        results[number] = content
                        continue
                    batch.append((number, content))
                    if len(batch) == BATCH:
                        under_way.append([each for each, _ in batch])
                        yield self._job([(rows[each].entry.source, content) for each, content in batch])
                        batch = []
            if batch:
                under_way.append([each for each, _ in batch])
                yield self._job([(rows[each].entry.source, content) for each, content in batch])

        with Crew(2 if careful else 1) as crew:
            for described in crew.do_or_lose(describe, jobs(), much=careful):
                numbers = under_way.popleft()
                if isinstance(described, Lost):
                    described = [self._alone(crew, rows[number].entry) for number in numbers]
                for number, result in zip(numbers, described, strict=True):
                    results[number] = Failure.of(result) if isinstance(result, PictureError) else result
        done = [result for result in results if result is not None]
        founds = [found if isinstance(result, Described) else None for found, result in zip(founds, done, strict=True)]
        marks = {MARK: fingerprint.encode(), SPACE: json.dumps(self.recipe.space.to_dict()).encode()}
        return packed(rows, founds, done, marks)

    def _read(self, entry: Entry) -> tuple[bytes, Found | None]:
        if not entry.source:
            raise SourceUnreadable("the row names no picture", source=f"item {entry.id}")
        content = read_anywhere(entry.source, self.limits)
        if entry.found is not None or is_url(entry.source):
            return content, entry.found
        about = os.stat(entry.source)
        return content, Found(entry.source, about.st_size, about.st_mtime_ns)

    def _job(self, read: Sequence[tuple[str, bytes]]) -> Job:
        sources, contents = [source for source, _ in read], [content for _, content in read]
        previews = [is_url(source) for source in sources]
        return Job(sources, contents, self.recipe.method, dict(self.recipe.options), self.limits, previews)

    def _alone(self, crew: Crew, entry: Entry) -> Described | PictureError:
        """The same again for one picture of several that ended a process."""
        try:
            content = read_anywhere(entry.source, self.limits)
        except PictureError as error:
            return error
        (result,) = crew.do_or_lose(describe, [self._job([(entry.source, content)])], much=True)
        if isinstance(result, Lost):
            return DecodeFailed(
                "decoding it ended the process that did it",
                source=entry.source,
                remedy="it may be made to; leave it out",
            )
        return result[0]


def _came_before(entry: Entry) -> Failure:
    return Failure(entry.source, "DuplicateId", f"{entry.source}: the id {entry.id!r} came before")


def read_anywhere(source: str, limits: Limits) -> bytes:
    """The encoded bytes of a picture: a path, an http(s) URL, or an address in an object store.

    Raises:
        PictureError: as :func:`lookalike.images.load.read_source`.
        MissingExtra: this machine has not what reads such a store.

    >>> import fsspec
    >>> from lookalike.images.limits import Limits
    >>> fsspec.filesystem("memory").pipe_file("/shop/a.jpg", b"abc")
    >>> read_anywhere("memory://shop/a.jpg", Limits())
    b'abc'
    """
    scheme = _SCHEME.match(source)
    if scheme is None or scheme[1].lower() not in STORES:
        return read_source(source, limits)
    if "::" in source:
        raise SourceUnreadable("an address in another", source=source, remedy="name the picture itself")
    try:
        store, path = need("fsspec.core", extra="ray").url_to_fs(source)
        content = bytes(store.cat_file(path, start=0, end=limits.max_bytes + 1))
    except ImportError as error:
        raise MissingExtra(f"{scheme[0]} cannot be read: {error}", remedy="install that on every node") from error
    except LookalikeError:
        raise
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such file", source=source, remedy="check the address") from error
    except IsADirectoryError as error:
        raise SourceUnreadable("this is a directory", source=source, remedy="name one picture in it") from error
    except PermissionError as error:
        raise SourceUnreadable("cannot be read: no permission", source=source, remedy="check the keys") from error
    except Exception as error:  # every store has errors of its own
        why = printable(str(error) or type(error).__name__)
        raise SourceUnreadable(f"cannot be read: {why}", source=source, remedy="check the address") from error
    limits.check_bytes(len(content), source)
    return content

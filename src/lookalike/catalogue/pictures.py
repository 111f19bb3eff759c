"""The pictures of a catalogue's items, opened only where a comparison asks for their pixels."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from lookalike.catalogue.filling import ABOUT
from lookalike.catalogue.recipe import PREVIEW
from lookalike.errors import SourceUnreadable
from lookalike.images.encoded import read_encoded
from lookalike.images.load import is_url, read_source
from lookalike.types import Decoded, Picture

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.index.items import Hit, Item
    from lookalike.types import Pixels

OPEN = 256
"""Pictures that are kept from search to search, with what was made of them: about half a megabyte each."""


class Pictures:
    """Pictures by item.

    A file is read where it lies, and must be the one that was indexed. Of an address the small copy is taken that was
    made when it was indexed: a search asks no server.

    Args:
        store: where small copies are.
        limits: what a picture may cost.
    """

    def __init__(self, store: Store, limits: Limits) -> None:
        self.store, self.limits = store, limits
        self._open: OrderedDict[tuple[str, str], Picture] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, item: Item | Hit) -> Picture:
        """The picture of an item; its pixels raise where they cannot be had any more.

        Raises:
            SourceUnreadable: nothing is known of it, as where another program filled the index.
        """
        about = item.data.get(ABOUT)
        if not isinstance(about, dict) or "sha256" not in about:
            raise SourceUnreadable("nothing is known of this picture", source=item.source, remedy="index it again")
        key = (item.source, str(about["sha256"]))
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
        picture = self._lazy(item.source, about)
        with self._lock:
            self._open[key] = picture
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        return picture

    def _lazy(self, source: str, about: dict[str, object]) -> Picture:
        opened: list[Picture] = []

        def read() -> Picture:
            if not opened:
                opened.append(self._read(source, str(about["sha256"])))
            return opened[0]

        def decode(side: int) -> Decoded:
            return read().decoded(side)

        def decode_luma(side: int) -> Pixels | None:
            return read().stored_luma(side)

        return Picture(
            source=source,
            format=str(about.get("format", "")),
            digest=str(about["sha256"]),
            original_size=(int(str(about.get("width", 0))), int(str(about.get("height", 0)))),
            decode=decode,
            decode_luma=decode_luma,
        )

    def _read(self, source: str, digest: str) -> Picture:
        if not is_url(source):
            found = read_encoded(read_source(source, self.limits), source, self.limits)
            if found.digest == digest:
                return found
        copy = self.store.features(PREVIEW, [digest]).get(digest)
        if copy is not None:
            return read_encoded(copy, source, self.limits)
        if is_url(source):
            found = read_encoded(read_source(source, self.limits), source, self.limits)
            if found.digest == digest:
                return found
        raise SourceUnreadable("it changed since it was indexed", source=source, remedy="index it again")

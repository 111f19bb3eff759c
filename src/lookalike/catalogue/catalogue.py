"""A catalogue of pictures: build it, open it, add to it, search it."""

from __future__ import annotations

import copy
import dataclasses
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from lookalike.api import way_of
from lookalike.catalogue import homes, places
from lookalike.catalogue.answers import Answers
from lookalike.catalogue.entries import Columns, Entry
from lookalike.catalogue.features import CatalogueFeatures
from lookalike.catalogue.filling import Filled, fill
from lookalike.catalogue.naming import Names
from lookalike.catalogue.pictures import Pictures
from lookalike.catalogue.query import Query
from lookalike.catalogue.recipe import Recipe
from lookalike.catalogue.replacing import replaced
from lookalike.catalogue.searching import Searching
from lookalike.catalogue.sources import Named, all_named
from lookalike.collection.crew import Crew
from lookalike.collection.store import Store
from lookalike.collection.store import opened as opened_store
from lookalike.errors import IndexNotFound, LookalikeError, UsageError, printable
from lookalike.images.limits import Limits
from lookalike.images.load import Source
from lookalike.index.base import IndexInfo, VectorIndex
from lookalike.index.items import Filter, Item
from lookalike.index.local import LocalIndex
from lookalike.scoring.calibration import Calibration
from lookalike.scoring.presets import Preset

_LIMITS = Limits()

T = TypeVar("T")

Progress = Callable[[str, int, int], None]
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


class Index:
    """Pictures that can be searched by picture; a context manager.

    Make one with :meth:`build` or :meth:`open`.

    Attributes:
        place: name, folder or address, as it was given.
        vectors: the index of their vectors, for whoever wants to go below.
        recipe: how pictures become vectors.
        limits: what a picture may cost.
        kept, features, pictures: what comparing needs of them.

    >>> import numpy as np, tempfile
    >>> from PIL import Image
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a", "b"):
    ...         Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(f"{folder}/{name}.png")
    ...     with Index.build([f"{folder}/a.png", f"{folder}/b.png"], place=f"{folder}/shop") as index:
    ...         found = index.search(f"{folder}/b.png", top=1)
    ...         print([(answer.id, answer.score) for answer in found])
    [('b.png', 1.0)]
    """

    def __init__(
        self,
        place: str | os.PathLike[str],
        vectors: VectorIndex,
        recipe: Recipe,
        *,
        store: str | os.PathLike[str] | Literal[False] | None = None,
        limits: Limits = _LIMITS,
    ) -> None:
        self.place, self.limits = os.fspath(place), limits
        self._own = opened_store(store)
        self._where = place if places.is_address(self.place) else Path(os.path.abspath(places.folder_of(place)))
        self._outlived: tuple[VectorIndex, Store] | None = None
        self._turn = threading.Lock()
        self._take(vectors, recipe)
        self._pool = ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="lookalike-search")

    def _take(self, vectors: VectorIndex, recipe: Recipe) -> None:
        self.vectors, self.recipe = vectors, recipe
        self._home = vectors.folder if isinstance(vectors, LocalIndex) else places.home_of(self._where)
        self._mark = homes.mark(self._home)
        self.kept = Store(self._home / homes.FEATURES, limit=None)
        self.features = CatalogueFeatures(self.kept, self._own)
        self.pictures = Pictures(self.kept, self.limits)

    def _now(self) -> Index:
        """One state for all that is asked at a time: where the index was replaced or made again, the new one.

        Raises:
            IndexNotFound: it was deleted.
        """
        with self._turn:
            if isinstance(self.vectors, LocalIndex) and not self.vectors.writing and self._outdated():
                vectors = places.opened(self._where, writing=False)
                try:
                    recipe = _recipe_of(vectors, self.place)
                except BaseException:
                    vectors.close()
                    raise
                self._let_go()
                self._outlived = self.vectors, self.kept  # another thread may be searching there
                self._take(vectors, recipe)
            return copy.copy(self)

    def _ask(self, question: Callable[[Index], T]) -> T:
        """What the index says now; it is asked again where another one took its place meanwhile."""
        while True:
            now = self._now()
            try:
                return question(now)
            except (LookalikeError, OSError):
                if not now._outdated():
                    raise

    def _outdated(self) -> bool:
        """Whether another index took the place of this one since it was opened, or none is there any more."""
        return isinstance(self.vectors, LocalIndex) and places.mark_of(self._where) != self._mark

    def _let_go(self) -> None:
        for each in self._outlived or ():
            with suppress(LookalikeError):
                each.close()
        self._outlived = None

    # Making one

    @classmethod
    def build(
        cls,
        sources: Paths = (),
        *,
        place: str | os.PathLike[str],
        table: str | os.PathLike[str] | None = None,
        columns: Columns = Columns(),  # noqa: B008 - frozen
        folder_tags: bool = False,
        recursive: bool = True,
        hidden: bool = False,
        method: str = "embedding",
        options: Mapping[str, Any] | None = None,
        kind: str = "auto",
        components: int = 0,
        replace: bool = False,
        prune: bool = False,
        store: str | os.PathLike[str] | Literal[False] | None = None,
        limits: Limits = _LIMITS,
        workers: int = 0,
        on: str | None = None,
        parts: str | os.PathLike[str] | None = None,
        token: str | None = None,
        progress: Progress | None = None,
    ) -> Index:
        """Make an index of pictures, or bring one up to date: what is there and has not changed is passed over.

        Args:
            sources: folders, files and patterns.
            place: a name (``"shop"``), a folder (``"./shop"``), or an address (``"milvus://host:19530/shop"``).
            table: a CSV, TSV, JSONL or Parquet file with a row for each picture: path or URL, id, tags, anything.
            columns: which of its columns mean what, where their names do not say it.
            folder_tags: the folders that pictures lie in become their tags.
            recursive, hidden: of folders, see :func:`lookalike.images.scan.scan`.
            method, options: what makes the vectors; the embedding of the default model where nothing is said.
            kind: how vectors are searched; chosen by size.
            components: principal components they are reduced to before; 0 for none.
            replace: begin anew; what is there stays until that is done.
            prune: items that are not named go, except where what they lie in could not be read.
            store: file that what else is made of pictures is kept in from search to search; None for the user's cache,
                False for none.
            limits: what a picture may cost.
            workers: processes; 0 for one a core.
            on: a Ray cluster that describes the pictures, such as ``"ray://head:10001"``; see docs/ray.md.
            parts: folder or URL for what the cluster made, kept for another run; one that goes away where None.
            token: of a server.
            progress: told how far it has come.

        Raises:
            IndexMismatch: there is an index that was made by another method.
            IndexLocked: another process is writing to it.
            PictureError: what is to replace an index would be empty.

        >>> lookalike.Index.build("catalog/", place="shop")  # doctest: +SKIP
        """
        recipe = Recipe(method, _found_from_anywhere(options or {}))
        listed = all_named(sources, table, None, columns, folder_tags, recursive, hidden)  # before anything is made

        def make(where: str | os.PathLike[str]) -> Index:
            made = cls._if_there(where, recipe, store, limits, token)
            if made is None:
                about = {"recipe": recipe.to_dict()}
                vectors = places.created(
                    where, recipe.space, kind=kind, components=components, about=about, token=token
                )
                made = cls(where, vectors, recipe, store=store, limits=limits)
            try:
                if on is None:
                    made.filled = made._fill(listed, update=False, prune=prune, workers=workers, progress=progress)
                else:
                    made.filled = made._fill_from_cluster(listed, on=on, parts=parts, prune=prune, progress=progress)
            except BaseException:
                made.close()
                raise
            return made

        if not replace:
            return make(place)
        places.check_kind(place, recipe.space, kind, components)

        def reopen() -> Index:
            return cls.open(place, writing=True, store=store, limits=limits, token=token)

        return replaced(place, make, reopen, token=token)

    @classmethod
    def _if_there(
        cls,
        place: str | os.PathLike[str],
        recipe: Recipe,
        store: str | os.PathLike[str] | Literal[False] | None,
        limits: Limits,
        token: str | None,
    ) -> Index | None:
        """The index at a place, made by the same recipe, open for writing; None where there is none yet."""
        if not places.is_address(os.fspath(place)) and not places.there(place):
            return None
        try:
            found = cls.open(place, writing=True, store=store, limits=limits, token=token)
        except IndexNotFound:
            return None
        try:
            found.recipe.space.require(recipe.space)
        except BaseException:
            found.close()
            raise
        return found

    @classmethod
    def open(
        cls,
        place: str | os.PathLike[str],
        *,
        writing: bool = False,
        store: str | os.PathLike[str] | Literal[False] | None = None,
        limits: Limits = _LIMITS,
        token: str | None = None,
    ) -> Index:
        """The index at a place.

        Args:
            place: a name, a folder or an address.
            writing: whether it is to be changed; one process at a time may, and any number may search meanwhile.
            store, limits, token: as for :meth:`build`.

        Raises:
            IndexNotFound: there is none; near names are suggested.
            IndexLocked, IndexDamaged, IndexUnreachable: what their names say.
            IndexMismatch: this installation makes other vectors than the index holds.
        """

        def made() -> Index:
            vectors = places.opened(place, writing=writing, token=token)
            try:
                return cls(place, vectors, _recipe_of(vectors, os.fspath(place)), store=store, limits=limits)
            except BaseException:
                vectors.close()
                raise

        return places.steadily(place, made)

    filled: Filled | None = None
    """What became of the entries of :meth:`build`."""

    # Changing it

    def add(
        self,
        sources: Paths = (),
        *,
        table: str | os.PathLike[str] | None = None,
        entries: Iterable[Entry | str | os.PathLike[str]] | None = None,
        columns: Columns = Columns(),  # noqa: B008 - frozen
        folder_tags: bool = False,
        recursive: bool = True,
        hidden: bool = False,
        update: bool = False,
        workers: int = 0,
        progress: Progress | None = None,
    ) -> Filled:
        """Add pictures; those that are there already are updated where they changed.

        Args:
            sources, table, columns, folder_tags, workers, progress: as for :meth:`build`.
            entries: anything else, one at a time, also paths and URLs alone; taken as they are needed.
            recursive, hidden: of folders.
            update: read pictures again also where nothing seems to have changed.

        Returns:
            What became of them; entries in = added + updated + unchanged + failures.
        """
        listed = all_named(sources, table, entries, columns, folder_tags, recursive, hidden)
        return self._fill(listed, update=update, prune=False, workers=workers, progress=progress)

    def _fill(
        self,
        listed: Named,
        *,
        update: bool,
        prune: bool,
        workers: int,
        progress: Progress | None,
    ) -> Filled:
        with Crew(workers) as crew:
            done = fill(
                self.vectors,
                self.recipe,
                self.kept,
                listed.entries,
                limits=self.limits,
                crew=crew,
                total=listed.total,
                update=update,
                progress=progress,
            )
        if progress is not None:
            progress("settling", 0, 0)
        return self._settled(done, listed, prune=prune)

    def _settled(self, done: Filled, listed: Named, *, prune: bool) -> Filled:
        """The end of every filling."""
        done.failures[:0] = listed.skipped
        done.named, done.notices = listed.words, tuple(listed.notices)
        if prune and done.ids:  # never all of them: a disk that is not there names nothing
            kept = tuple(os.path.abspath(failure.source) for failure in listed.skipped)
            others = [
                each for each, source in self.vectors.sources() if each not in done.ids and not source.startswith(kept)
            ]
            done.pruned = self.vectors.remove(others)
        done.gone = self._gone(listed.folders)
        self.vectors.save()
        return done

    def _gone(self, folders: Sequence[str]) -> int:
        """Items whose file lay in one of these folders and does no more."""
        inside = tuple(os.path.join(folder, "") for folder in folders)
        if not inside:
            return 0
        return sum(source.startswith(inside) and not os.path.exists(source) for _, source in self.vectors.sources())

    def _fill_from_cluster(
        self,
        listed: Named,
        *,
        on: str,
        parts: str | os.PathLike[str] | None,
        prune: bool,
        progress: Progress | None,
    ) -> Filled:
        from lookalike.catalogue.ray import fill_on_cluster, load_into

        own = self._home / "parts"
        names, ids = Names(self.vectors), set[str]()

        def entries() -> Iterator[Entry]:
            for entry in map(names.named, listed.entries):
                ids.add(str(entry.id))
                yield entry

        extracted = fill_on_cluster(
            entries(),
            self.recipe,
            own if parts is None else parts,
            address=on,
            limits=self.limits,
            total=listed.total,
            progress=progress,
        )
        done = load_into(self.vectors, self.kept, extracted, progress=progress)
        done.ids = ids
        done = self._settled(done, listed, prune=prune)
        shutil.rmtree(own, ignore_errors=True)
        return done

    def remove(self, ids: Iterable[str]) -> int:
        """Remove items, or one by its id alone; unknown ids are passed over. Returns how many were there."""
        count = self.vectors.remove(ids)
        self.vectors.save()
        return count

    # Asking it

    def search(
        self,
        like: Source | Sequence[Source] | None = None,
        *,
        query: Query | None = None,
        preset: str | Preset = "auto",
        calibration: Calibration | str | os.PathLike[str] | None = None,
        progress: Progress | None = None,
        facets: bool = False,
        **asked: Any,
    ) -> Answers:
        """What is most like a picture.

        Args:
            like: a picture, or several; see :func:`lookalike.load`.
            query: everything that can be asked for, as a record, instead of ``like`` and ``asked``.
            preset: how candidates are compared; ``"style"`` finds the same cut in other colours.
            calibration: what :func:`lookalike.calibrate` fitted, in place of a preset.
            progress: told of the stages.
            facets: also count the tags of the items that pass.
            asked: fields of :class:`~lookalike.catalogue.query.Query`: ``top``, ``only``, ``tags``, ``rerank`` …

        Returns:
            Answers, the best first.

        Raises:
            PictureError: a query picture cannot be read.
            UsageError: the request makes no sense.
        """
        if query is None:
            query = Query(like=() if like is None else like, **asked)  # type: ignore[arg-type]
        elif like is not None or asked:
            raise UsageError("a query says everything itself", remedy="leave out the other arguments")
        way = way_of(preset, None, None, None, None, False, calibration)
        return self._ask(lambda now: Searching(now, way, progress).run(query, facets=facets))

    def get(self, ids: Sequence[str]) -> list[Item | None]:
        """Items by id, in that order; None where there is none."""
        return self._ask(lambda now: now.vectors.get(ids))

    def items(self) -> Iterator[Item]:
        """Every item, in the order of adding."""
        return self._now().vectors.items()

    def count(self, only: Filter = Filter()) -> int:  # noqa: B008 - frozen
        """How many items pass a filter."""
        return self._ask(lambda now: now.vectors.count(only))

    def tags(self, only: Filter = Filter()) -> dict[str, int]:  # noqa: B008 - frozen
        """Tag → how many items have it, the commonest first."""
        return self._ask(lambda now: now.vectors.tags(only))

    def info(self) -> IndexInfo:
        """What the index says of itself."""
        return dataclasses.replace(self._ask(lambda now: now.vectors.info()), place=str(self._where))

    def __len__(self) -> int:
        return self._ask(lambda now: now.vectors.count())

    def close(self) -> None:
        """Write down what was kept, and let go; a second time does nothing."""
        self._pool.shutdown()
        self._let_go()
        self._own.close()
        try:
            self.features.flush()
            self.kept.close()
        except (LookalikeError, OSError):
            if not self._outdated():
                raise
        finally:
            self.vectors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _found_from_anywhere(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options whose model file is named so that it is found from any folder: they are kept with the index."""
    model = options.get("model")
    own = isinstance(model, str) and model.lower().endswith(".onnx")
    return {**options, "model": os.path.abspath(str(model))} if own else dict(options)


def _recipe_of(vectors: VectorIndex, place: str) -> Recipe:
    about = vectors.about
    if "recipe" not in about:
        raise UsageError(f"{printable(place)}: this index holds vectors, and no pictures")
    return Recipe.of(about["recipe"], vectors.space)

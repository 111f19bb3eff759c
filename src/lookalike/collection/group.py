"""Many pictures → groups: scan, read what is new, compare all with all, put together."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lookalike.collection.clusters import grouped
from lookalike.collection.crew import Crew
from lookalike.collection.describe import NEAR, keys
from lookalike.collection.extract import Progress, extract, known_failure, not_in_store
from lookalike.collection.memory import Memory
from lookalike.collection.pairing import Paired, Pairing
from lookalike.collection.shelf import FeaturesLost
from lookalike.collection.store import Store
from lookalike.errors import UsageError
from lookalike.images.limits import Limits
from lookalike.images.scan import Found, Scan, scan
from lookalike.scoring.presets import Preset
from lookalike.types import Comparison, Failure, GroupBy, Grouping, Mode, PictureFile

if TYPE_CHECKING:
    from lookalike.collection.rows import PictureRow
    from lookalike.scoring.calibration import Calibration


BELOW = 0.89
"""Highest score from which things alike are looked for that are no copies."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to group, and how.

    Attributes:
        sources: folders, files, globs, ``@lists``.
        against: the reference set; where it is given, the sources are compared with it only. A file that both name is
            a source.
        threshold: least score of a pair.
        mode, group_by, preset, limits: as their names say.
        recursive, hidden: go into folders of folders; take hidden files.
        leave_out: a folder whose files are no sources, such as the one that results go to.
        workers: processes that much work is shared among; 0 for one a core, 1 for none but this one.
        calibration: what becomes of every score in the end; ``threshold`` counts after it.
    """

    sources: Sequence[str | os.PathLike[str]]
    preset: Preset
    against: Sequence[str | os.PathLike[str]] = ()
    threshold: float = 0.9
    mode: Mode = "default"
    group_by: GroupBy = "base"
    limits: Limits = field(default_factory=Limits)
    recursive: bool = True
    hidden: bool = False
    leave_out: str | os.PathLike[str] | None = None
    workers: int = 0
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise UsageError(f"workers must be 0 (one a core) or more, not {self.workers}")
        if not 0 < self.threshold <= 1:
            raise UsageError(f"the threshold must be over 0 and at most 1, not {self.threshold:g}", remedy="try 0.9")

    @property
    def raw_threshold(self) -> float:
        """The threshold among scores as the preset gives them: a calibration keeps their order, so nothing is lost."""
        return self.threshold if self.calibration is None else self.calibration.raw(self.threshold)

    @property
    def least(self) -> float:
        """Score from which pairs matter: all copies do, so that a run serves every threshold from 0.90 on.

        Formulas know of no copies: what they find alike is looked for, however much alike it has to be.
        """
        return min(self.raw_threshold, NEAR if self.preset.rule == "auto" else BELOW)


def group(request: Request, store: Store, progress: Progress | None = None) -> Grouping:
    """Find what is alike.

    Args:
        request: what and how.
        store: where features are kept from run to run.
        progress: told now and then what is being done, how much of it is done, and how much there is.

    Raises:
        SourceNotFound: a source is not there.
        StoreError: features cannot be kept, as on a full disk; what was kept stays.
    """
    started = time.perf_counter()
    new = _scanned(request.sources, request)
    old = _without(_scanned(request.against, request), new) if request.against else Scan((), ())
    scanned = time.perf_counter()
    with Crew(request.workers) as crew:
        files, failures = _all_read(new, old, store, request, crew, progress)
        read = time.perf_counter()
        try:
            paired = _paired(files, store, request, crew, progress)
        except FeaturesLost:  # the store dropped what was damaged: it is made anew, once
            files, failures = _all_read(new, old, store, request, crew, progress)
            paired = _paired(files, store, request, crew, progress)
    lost = {failure.source for failure in paired.failures}
    pairs = tuple(
        pair
        for pair in _pairs_of_files(paired.comparisons, files, store, request)
        if pair.a not in lost and pair.b not in lost
    )
    groups = grouped(pairs, request.group_by)
    ended = time.perf_counter()
    return Grouping(
        pictures=tuple(file for file in files if file.path not in lost),
        pairs=pairs,
        groups=groups,
        failures=tuple(sorted([*failures, *paired.failures], key=lambda failure: (failure.source, failure.kind))),
        threshold=request.threshold,
        group_by=request.group_by,
        mode=request.mode,
        stats={
            "scan_seconds": scanned - started,
            "read_seconds": read - scanned,
            "compare_seconds": ended - read,
            "passed_over": new.passed_over + old.passed_over,
            "from_store": store.hits,
            "computed": store.misses,
            **paired.looked_at,
            "search_recall": paired.search_recall,
        },
        notices=(*store.notices, *_out_of_reach(request)),
    )


def _out_of_reach(request: Request) -> list[str]:
    """A word to those who ask a calibration for near-duplicates that knows none."""
    if request.calibration is None or request.raw_threshold < 1 or request.threshold == 1:
        return []
    return [
        f"only a score of 1 becomes {request.threshold:g} or more by this calibration, which does not know "
        "near-duplicates; its same product begins at a threshold of 0.8"
    ]


def _scanned(sources: Iterable[str | os.PathLike[str]], request: Request) -> Scan:
    out = () if request.leave_out is None else (request.leave_out,)
    found = scan(sources, recursive=request.recursive, hidden=request.hidden, exclude=out)
    if request.leave_out is None:
        return found
    inside = os.path.join(os.path.realpath(request.leave_out), "")
    left_out: dict[str, bool] = {}  # a pattern or a list may name what no walk enters
    for above in {os.path.dirname(file.path) for file in found.files}:
        left_out[above] = os.path.join(os.path.realpath(above), "").startswith(inside)
    return replace(found, files=tuple(file for file in found.files if not left_out[os.path.dirname(file.path)]))


def _without(old: Scan, new: Scan) -> Scan:
    """The reference set without what is a source as well, by whatever path: no file is compared with itself."""
    named = {os.path.realpath(file.path) for file in new.files}
    return replace(old, files=tuple(file for file in old.files if os.path.realpath(file.path) not in named))


def _all_read(
    new: Scan, old: Scan, store: Store, request: Request, crew: Crew, progress: Progress | None
) -> tuple[list[PictureFile], list[Failure]]:
    """Sources and reference set together, each picture marked with which it is of, and everything that failed."""
    files, failures = _read([*new.files, *old.files], store, request, crew, progress)
    reference = {found.path for found in old.files}
    marked = [replace(file, reference=file.path in reference) for file in files]
    return marked, [*failures, *{*new.skipped, *old.skipped}]


def _read(
    found: Sequence[Found], store: Store, request: Request, crew: Crew, progress: Progress | None
) -> tuple[list[PictureFile], list[Failure]]:
    """Every file as a picture whose features are in the store, in the order of paths; or a failure."""
    by_path = {file.path: file for file in found}
    digests = store.known(list(by_path.values()))
    rows = store.pictures(list(set(digests.values())))
    wanted = keys(request.mode, request.least)
    complete = _complete(list(rows), rows, store, wanted)
    missing = [file for path, file in by_path.items() if digests.get(path) not in complete]
    store.count(hits=len(by_path) - len(missing), misses=len(missing))
    failures: list[Failure] = []
    if missing:
        if progress is not None:  # before the first batch is done, for somebody may be watching, or stop it
            progress("reading", 0, len(missing))
        extraction = extract(missing, store, request.limits, progress, crew, wanted)
        failures += extraction.failures
        by_path.update(extraction.found)
        digests = {path: digest for path, digest in digests.items() if digest in complete} | extraction.digests
        rows = store.pictures(list(set(digests.values())))
    files = []
    for path in sorted(digests):
        row, file = rows.get(digests[path]), by_path[path]
        if row is None:
            failures.append(not_in_store(path))
        elif row.failure_kind is not None:
            failures.append(known_failure(path, row))
        else:
            files.append(PictureFile(path, digests[path], row.format, row.width, row.height, file.size, file.mtime_ns))
    return files, failures


def _complete(digests: list[str], rows: dict[str, PictureRow], store: Store, wanted: Mapping[str, str]) -> set[str]:
    """Those of which everything is stored; a picture known to be broken is complete."""
    good = [digest for digest in digests if rows[digest].failure_kind is None]
    lacking = store.lacking(wanted.values(), good)
    return set(digests) - lacking


def _paired(files: list[PictureFile], store: Store, request: Request, crew: Crew, progress: Progress | None) -> Paired:
    """All pairs of different pictures; what an earlier run found of the same ones is not looked for again."""
    first: dict[str, PictureFile] = {}
    for file in files:
        first.setdefault(file.digest, file)
    nodes = list(first.values())
    if len(nodes) < 2:
        return Paired()
    pairing = Pairing(nodes, store, request.preset, request.mode, request.limits, crew, request.least, progress)
    if request.against:
        references = {file.digest for file in files if file.reference}
        subjects = {file.digest for file in files if not file.reference}
        rows = [index for index, node in enumerate(nodes) if node.digest in subjects]
        columns = [index for index, node in enumerate(nodes) if node.digest in references]
        return pairing.run(rows, columns) if rows and columns else Paired()
    memory = Memory(store, request.preset, request.mode, request.least)
    earlier = memory.recall(nodes)
    if earlier is None:
        paired = pairing.run()
    elif not earlier.fresh:
        return earlier.paired
    else:
        paired = pairing.run(earlier.fresh, range(len(nodes)), earlier.paired.spaces)
        paired.comparisons += earlier.paired.comparisons
    lost = {failure.source for failure in paired.failures}
    memory.keep([node for node in nodes if node.path not in lost], paired)
    return paired


def _pairs_of_files(
    comparisons: Iterable[Comparison], files: Sequence[PictureFile], store: Store, request: Request
) -> tuple[Comparison, ...]:
    """Pairs of different pictures → pairs of files: twins share what was found of one of them, and are a pair too."""
    twins: dict[str, list[PictureFile]] = defaultdict(list)
    for file in files:
        twins[file.digest].append(file)
    first = {same[0].path: same for same in twins.values()}
    apart = {pair for pair, verdict in store.decisions().items() if verdict == "different"}
    least = request.raw_threshold
    pairs = []
    for found in comparisons:
        ours, theirs = first[found.a], first[found.b]
        if found.score < least or _decided(ours[0], theirs[0], apart):
            continue
        pairs += [
            _renamed(found, one.path, other.path)
            for one in ours
            for other in theirs
            if not _both_old_or_both_new(one, other, request)
        ]
    for same in twins.values():
        pairs += [
            _same_file(one.path, other.path, request.preset)
            for number, one in enumerate(same)
            for other in same[number + 1 :]
            if not _both_old_or_both_new(one, other, request)
        ]
    if request.calibration is not None:
        pairs = [request.calibration.apply(pair) for pair in pairs]
    return tuple(sorted(pairs, key=lambda pair: (-pair.score, pair.a, pair.b)))


def _same_file(a: str, b: str, preset: Preset) -> Comparison:
    """Two files of the same bytes, as `compare` tells it."""
    likely = 1.0 if preset.rule == "auto" else None
    return Comparison(a, b, 1.0, "identical", {"exact": 1.0}, None, ("the same file",), preset.name, probability=likely)


def _decided(one: PictureFile, other: PictureFile, apart: set[tuple[str, str]]) -> bool:
    return (min(one.digest, other.digest), max(one.digest, other.digest)) in apart


def _both_old_or_both_new(one: PictureFile, other: PictureFile, request: Request) -> bool:
    return bool(request.against) and one.reference == other.reference


def _renamed(found: Comparison, a: str, b: str) -> Comparison:
    """The comparison for files a and b, in the order of their paths."""
    if a == found.a and b == found.b and a < b:
        return found
    told = replace(found, a=a, b=b)
    return told if a < b else told.reversed()

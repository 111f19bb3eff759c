"""Pairs of a collection → judgements: stored features are laid ready, the crew judges, what was made is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.collection.bundles import kept_key
from lookalike.collection.crew import Crew, Lost
from lookalike.collection.describe import keys
from lookalike.collection.judge import DEAR, Judged, Judgement, Piece, judge, ready
from lookalike.scoring.pair import shared_method
from lookalike.scoring.presets import methods_of
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.collection.guesses import Guess
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.scoring.presets import Preset
    from lookalike.types import PictureFile

Pairs = npt.NDArray[np.int32]

PIECE, PIECE_IN_FULL = 16, 12
"""Pairs that a hand of the crew judges at a time, at sight and with keypoints: about as long, so that no hand waits
for another at the end."""

PORTION = 512
"""Pairs put in order of their pictures, so that one piece holds what belongs together and opens a file once."""

MUCH = 300
"""Pairs from which processes are worth their start."""

NEEDED = ("look", "tint")
"""Features that every comparison needs, beside the place of the content."""


class Confirmation:
    """Judges pairs of a collection.

    Args:
        files: the pictures.
        store: their features.
        preset: how to score.
        limits: what a picture may cost.
        crew: who does it.
        closely: also look for one object in both of what is no copy, which costs most and makes none.

    Attributes:
        failures: pictures that could not be compared, by their source.
    """

    def __init__(
        self,
        files: Sequence[PictureFile],
        store: Store,
        preset: Preset,
        limits: Limits,
        crew: Crew,
        *,
        closely: bool = True,
    ) -> None:
        self.files, self.store, self.preset, self.limits, self.crew = files, store, preset, limits, crew
        self.closely = closely
        auto = preset.rule == "auto"
        self.dear = tuple(name for name in DEAR if name != "object" or closely) if auto else tuple(methods_of(preset))
        self.failures: dict[str, Failure] = {}

    def judged(
        self, pairs: Pairs, guesses: Sequence[Guess | None] | None = None, *, at_once: bool
    ) -> Iterator[tuple[tuple[int, int], Judgement]]:
        """Every pair (N×2 indices of files) with what became of it, nearly in order; stop taking to stop comparing.

        Args:
            pairs: which.
            guesses: see :class:`~lookalike.collection.judge.Piece`; None: everything is compared.
            at_once: only what can be told at sight, as copies can.
        """
        pieces: list[list[tuple[int, int]]] = []
        size = PIECE if at_once else PIECE_IN_FULL

        def laid_ready() -> Iterator[Piece]:
            for start in range(0, len(pairs), PORTION):
                part = pairs[start : start + PORTION]
                kept = self._kept([self.files[int(index)].digest for index in np.unique(part)], at_once)
                order = start + np.lexsort((part[:, 1], part[:, 0]))
                for numbers in np.split(order, range(size, len(order), size)):
                    pieces.append([(a, b) for a, b in pairs[numbers].tolist()])
                    said = [None if guesses is None else guesses[number] for number in numbers]
                    yield self._piece(pieces[-1], said, kept, at_once)

        for number, result in enumerate(self.crew.do_or_lose(judge, laid_ready(), much=len(pairs) >= MUCH)):
            done = self._one_by_one(result.work) if isinstance(result, Lost) else result
            self._keep(done)
            yield from zip(pieces[number], done.judgements, strict=True)

    def make_ready(self, indices: Iterable[int]) -> None:
        """Make the dear features of these pictures that the store has not, each once; pairs then only read them."""
        digests = {self.files[index].digest: self.files[index] for index in indices}
        files = [digests[digest] for digest in sorted(self.store.lacking(self._dear(), list(digests)))]

        def laid_ready() -> Iterator[Piece]:
            for start in range(0, len(files), PIECE_IN_FULL):
                part = files[start : start + PIECE_IN_FULL]
                found = self._kept([file.digest for file in part], False)
                kept = {(digest, key): content for key, each in found.items() for digest, content in each.items()}
                yield Piece(part, [], [], kept, self.preset, self.limits, False, dear=self.dear)

        for done in self.crew.do_or_lose(ready, laid_ready(), much=len(files) >= MUCH):
            if not isinstance(done, Lost):  # whose picture it was is found out pair by pair
                self._keep(done)

    def _dear(self) -> list[str]:
        """The store's keys of the features that take long to make."""
        return [kept_key(shared_method(name, self.preset.options.get(name, {}))) for name in self.dear]

    def _piece(
        self,
        pairs: list[tuple[int, int]],
        guesses: list[Guess | None],
        kept: dict[str, dict[str, bytes]],
        at_once: bool,
    ) -> Piece:
        used = sorted({index for pair in pairs for index in pair})
        place = {index: number for number, index in enumerate(used)}
        files = [self.files[index] for index in used]
        return Piece(
            files,
            [(place[a], place[b]) for a, b in pairs],
            guesses,
            {
                (file.digest, key): found[file.digest]
                for key, found in kept.items()
                for file in files
                if file.digest in found
            },
            self.preset,
            self.limits,
            at_once,
            self.closely,
            self.dear,
        )

    def _kept(self, digests: Sequence[str], at_once: bool) -> dict[str, dict[str, bytes]]:
        """What the store has of these pictures that comparing them needs: key → digest → bytes."""
        wanted = [kept_key(shared_method(name, self.preset.options.get(name, {}))) for name in NEEDED]
        if not at_once or self.preset.rule != "auto":
            wanted += self._dear()
        return {key: self.store.features(key, digests) for key in (*wanted, keys()["place"])}

    def _keep(self, done: Judged) -> None:
        for failure in done.failures:
            self.failures[failure.source] = failure
        for key in {key for key, _, _ in done.made}:
            self.store.add_features(key, [(digest, content) for made, digest, content in done.made if made == key])

    def _one_by_one(self, piece: Piece) -> Judged:
        """The pairs of a piece that took down its process, one at a time; the culprit is a failure."""
        done = Judged()
        for pair, guess in zip(piece.pairs, piece.guesses, strict=True):
            (result,) = self.crew.do_or_lose(judge, [replace(piece, pairs=[pair], guesses=[guess])], much=True)
            if isinstance(result, Lost):
                source = piece.files[pair[0]].path
                reason = f"{source}: comparing it with {piece.files[pair[1]].path} ended the process that did it"
                result = Judged([Judgement(compared=True)], [Failure(source, "WorkerLost", reason)])
            done.judgements.extend(result.judgements)
            done.failures.extend(result.failures)
            done.made.extend(result.made)
        return done

"""Pairs worth a look → comparisons, by the rule that compares two pictures alone; what a hand of the crew does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection import frames, matches
from lookalike.collection.bundles import bundled, kept_key, unbundled
from lookalike.collection.describe import keys
from lookalike.collection.guesses import FrameGuess, Guess, InsetGuess, PartGuess, PlaceGuess
from lookalike.collection.inset import told_of_host, turned_round
from lookalike.collection.packing import unpack_place
from lookalike.collection.sources import picture_of
from lookalike.errors import PictureError
from lookalike.features.align import Matrix, inverted
from lookalike.features.base import WORKING_SIDE
from lookalike.features.insets import cut
from lookalike.features.shrink import place_of, set_place
from lookalike.images.load import load
from lookalike.scoring.auto import at_sight
from lookalike.scoring.pair import FeatureCache, Pair, shared_method
from lookalike.scoring.rules import decide, finish
from lookalike.types import Comparison, Failure

if TYPE_CHECKING:
    from lookalike.features.base import Method
    from lookalike.images.limits import Limits
    from lookalike.scoring.presets import Preset
    from lookalike.types import Picture, PictureFile

OPEN = 64
"""Pictures kept decoded at a time, at most."""

OPEN_PIXELS = 64_000_000
"""Pixels that they may have in all, as they are stored."""

LEAST_INSET = 24
"""Pixels that a picture within a picture has on its shorter side: below that anything may be anything."""

DEAR = ("embedding", "xfeat", "object", "palette")
"""What the default rule needs and takes long to make; its other features are made as quickly as they are read."""

Kept = Mapping[tuple[str, str], bytes]
"""(digest, the store's key) → what the store has."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Pairs to judge.

    Attributes:
        files: the pictures.
        pairs: two of them each, by number.
        guesses: how the second may lie on the first, one a pair; None for pairs that are compared whatever they look
            like.
        kept: what the store has of them.
        preset: how to score.
        limits: what a picture may cost.
        at_once: only what can be told at sight, as copies can; what a look at the stored thumbnails does not bear out
            is not compared at all.
        closely: also look for one object in both of what is no copy; see :class:`~lookalike.scoring.pair.Pair`.
        dear: methods whose features are kept once they were made.
    """

    files: Sequence[PictureFile]
    pairs: Sequence[tuple[int, int]]
    guesses: Sequence[Guess | None]
    kept: Kept
    preset: Preset
    limits: Limits
    at_once: bool
    closely: bool = True
    dear: tuple[str, ...] = DEAR


class Judgement(NamedTuple):
    """What became of a pair.

    Attributes:
        comparison: None where it is not told.
        certainty: how sure the look was that it is a copy, 0 to 1, where it is not told.
        compared: whether the pictures themselves were compared.
        guess: how the second may lie on the first, where it is not told.
    """

    comparison: Comparison | None = None
    certainty: float = 0.0
    compared: bool = False
    guess: Guess | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement a pair, pictures that failed meanwhile, and dear features that were made: key, digest, bytes."""

    judgements: list[Judgement] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    made: list[tuple[str, str, bytes]] = field(default_factory=list)


def judge(piece: Piece) -> Judged:
    """Compare what is worth it; a picture that fails ends its own pairs only."""
    judging = _Judging(piece)
    done = Judged(made=judging.features.made)
    for number in range(len(piece.pairs)):
        try:
            done.judgements.append(judging.judged(number))
        except PictureError as error:
            done.judgements.append(Judgement(compared=True))
            done.failures.append(Failure.of(error))
    return done


def ready(piece: Piece) -> Judged:
    """Make the dear features of the pictures of a piece, so that nobody makes them twice; judge nothing."""
    judging = _Judging(piece)
    done = Judged(made=judging.features.made)
    for index in range(len(piece.files)):
        try:
            for name in piece.dear:
                made = shared_method(name, piece.preset.options.get(name, {}))
                judging.features.extract(made, judging.picture(index))
        except PictureError as error:
            done.failures.append(Failure.of(error))
    return done


class _Judging:
    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.features = StoredFeatures(piece.kept, piece.dear)
        self.open: OrderedDict[int, Picture] = OrderedDict()
        self.pixels = 0

    def judged(self, number: int) -> Judgement:
        a, b = self.piece.pairs[number]
        guess = self.piece.guesses[number]
        if guess is None or not self.piece.at_once:
            return self._compared(a, b, guess)
        if isinstance(guess, InsetGuess):
            return self._pasted(a, b, guess)
        first, second = (self._look(index) for index in (a, b))
        if isinstance(guess, PartGuess):
            guess = matches.located(first, second, guess)
            if guess is None:
                return Judgement()
        whole = guess if isinstance(guess, FrameGuess) else guess.as_frame
        judgement = Judgement()
        if whole is not None and frames.worth_a_look(first, second, whole):
            judgement = self._compared(a, b, whole)
        if judgement.comparison is None and isinstance(guess, PlaceGuess):
            exact = matches.worth_a_look(first, second, guess)
            if exact is not None:
                judgement = self._compared(a, b, exact)
        return judgement

    def _compared(self, a: int, b: int, guess: Guess | None) -> Judgement:
        preset = self.piece.preset
        pair = Pair(
            self.picture(a),
            self.picture(b),
            preset.options,
            self.features,
            side_by_side=False,
            hint=self._laid(a, b, guess.place) if isinstance(guess, PlaceGuess) else None,
            search=not isinstance(guess, FrameGuess),
            closely=self.piece.closely,
        )
        if not self.piece.at_once or preset.rule != "auto":
            return Judgement(decide(pair, preset), compared=True)
        seen = at_sight(pair, preset.thresholds)
        if seen.outcome is None:
            return Judgement(None, seen.certainty, compared=True, guess=guess)
        return Judgement(finish(pair, seen.outcome, preset.name), 1.0, compared=True)

    def _pasted(self, a: int, b: int, guess: InsetGuess) -> Judgement:
        """What is in the box, as a picture of its own, against the other; told of the whole where that is a copy."""
        host, part = (self.picture(index) for index in ((a, b) if guess.second else (b, a)))
        pixels = cut(host.decoded(WORKING_SIDE).pixels, guess.box)
        if min(pixels.shape[:2]) < LEAST_INSET:
            return Judgement()
        inset = load(np.ascontiguousarray(pixels), limits=self.piece.limits)
        looks = [self.features.extract(shared_method("look", {}), each) for each in (inset, part)]
        exact = matches.worth_a_look(looks[0], looks[1], PlaceGuess(np.eye(3), 0.0))
        if exact is None:
            return Judgement()
        hint = place_of(inset) @ exact.place @ inverted(place_of(part))
        pair = Pair(inset, part, self.piece.preset.options, self.features, side_by_side=False, hint=hint)
        seen = at_sight(pair, self.piece.preset.thresholds)
        if seen.outcome is None:
            return Judgement(None, seen.certainty, compared=True)
        found = told_of_host(finish(pair, seen.outcome, self.piece.preset.name), host, inset, guess.box)
        return Judgement(found if guess.second else turned_round(found), 1.0, compared=True)

    def _laid(self, a: int, b: int, place: Matrix) -> Matrix:
        """Content on content → picture on picture, in shares."""
        return place_of(self.picture(a)) @ place @ inverted(place_of(self.picture(b)))

    def _look(self, index: int) -> npt.NDArray[np.uint8]:
        look: npt.NDArray[np.uint8] = self.features.extract(shared_method("look", {}), self.picture(index))
        return look

    def _size(self, index: int) -> int:
        return self.piece.files[index].width * self.piece.files[index].height

    def picture(self, index: int) -> Picture:
        found = self.open.get(index)
        if found is not None:
            self.open.move_to_end(index)
            return found
        found = self.open[index] = picture_of(self.piece.files[index], self.piece.limits)
        place = self.piece.kept.get((found.digest, keys()["place"]))
        if place is not None:
            set_place(found, unpack_place(place))
        self.pixels += self._size(index)
        while len(self.open) > OPEN or (self.pixels > OPEN_PIXELS and len(self.open) > 2):
            self.pixels -= self._size(self.open.popitem(last=False)[0])
        return found


class StoredFeatures(FeatureCache):
    """Features from what the store has; dear ones that it has not are made, and told in ``made``."""

    def __init__(self, kept: Kept, dear: tuple[str, ...]) -> None:
        super().__init__()
        self.kept, self.dear = kept, dear
        self.made: list[tuple[str, str, bytes]] = []

    def make(self, made: Method[Any], picture: Picture) -> Any:
        key = kept_key(made)
        feature = unbundled(made, self.kept.get((picture.digest, key)), picture)
        if feature is None:
            feature = super().make(made, picture)
            content = bundled(made, feature) if made.name in self.dear else None
            if content is not None:
                self.made.append((key, picture.digest, content))
        return feature

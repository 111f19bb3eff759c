"""Search: photos of groceries of one class, and a garment in another colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accuracy_heldout import HeldOut
from data import Labelled, read, sample

from lookalike import compare_many
from lookalike.collection.kept import KeptFeatures
from lookalike.lab.contest import Contestant, contestants_of
from lookalike.lab.retrieval.rank import Order, graded, ranked_by, reranked, vectors
from lookalike.lab.retrieval.ranked import RANKED, Ranked, Weighed
from lookalike.lab.retrieval.sets import RetrievalSet
from lookalike.scoring.pair import shared_method
from lookalike.types import Comparison

BEST = 100
"""Candidates that are put in order."""

VECTORS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("phash", "phash", {}),
    ("hsv", "hsv", {}),
    ("palette", "palette", {}),
    ("embedding, 128 px", "embedding", {"size": 128}),
    ("embedding, 224 px", "embedding", {"size": 224}),
)
"""What ranks by itself: what it is called, method, its arguments."""

CANDIDATES = "embedding, 128 px"
RERANKED = f"best {BEST} of {CANDIDATES}"


def retrieval(root: Path, features: KeptFeatures, held_out: HeldOut, queries: int, seed: int) -> list[dict[str, Any]]:
    """Rows: mAP and recall of everything that ranks photos of groceries, the same fine class being right."""
    photos = [picture for picture in read(root, "grocery") if picture.view == "photo"]
    if not photos:
        return []
    table = _by_class(photos)
    some = sample(range(len(photos)), queries, seed)
    rows: list[dict[str, Any]] = []
    orders: dict[str, Order] = {}
    for name, method, arguments in VECTORS:
        made = shared_method(method, arguments)
        directions, failures = vectors(table, made, features)
        assert not failures
        orders[name] = ranked_by(table, directions)
        rows.append(_row(name, "alone", graded(table, orders[name]), "all"))
        rows.append(_row(name, "alone", graded(*_part(table, orders[name], some)), "some"))
    asked, candidates = _part(table, orders[CANDIDATES], some)
    for contestant in contestants_of(["hybrid"], ["hsv", "ssim", "embedding"]):
        order, _ = reranked(asked, candidates, contestant, BEST, features)
        rows.append(_row(contestant.name, RERANKED, graded(asked, order), "some"))
    ranked = _by_auto(asked, candidates, [photos[number] for number in some], features, held_out)
    return [*rows, _row("auto", RERANKED, ranked, "some")]


def _by_class(photos: Sequence[Labelled]) -> RetrievalSet:
    names = tuple(str(picture.path) for picture in photos)
    relevance = tuple(
        {
            number: 1.0
            for number, other in enumerate(photos)
            if other.fine == picture.fine and other.path != picture.path
        }
        for picture in photos
    )
    return RetrievalSet(names, names, relevance, "grocery")


def _part(table: RetrievalSet, order: Order, numbers: Sequence[int]) -> tuple[RetrievalSet, Order]:
    """Some of the queries, the gallery whole."""
    queries, relevance = (tuple(column[number] for number in numbers) for column in (table.queries, table.relevance))
    found, scores = (tuple(column[number] for number in numbers) for column in (order.found, order.scores))
    return RetrievalSet(queries, table.gallery, relevance, table.name), Order(found, scores)  # type: ignore[arg-type]


def _by_auto(
    asked: RetrievalSet, candidates: Order, queries: Sequence[Labelled], features: KeptFeatures, held_out: HeldOut
) -> Ranked:
    """Each query by a rule that does not know its class."""
    by_folds: dict[frozenset[int], list[int]] = {}
    for number, picture in enumerate(queries):
        of_class = f"grocery/{picture.fine}"
        by_folds.setdefault(held_out.without([of_class], of_class), []).append(number)
    parts = []
    for left_out, numbers in by_folds.items():
        table, order = _part(asked, candidates, numbers)
        contestant = Contestant("auto", preset=held_out.preset(left_out))
        parts.append(graded(table, reranked(table, order, contestant, BEST, features)[0]))
    return Ranked(
        *([each for part in parts for each in getattr(part, name)] for name in ("grades", "scores", "ideals"))
    )


def _row(name: str, how: str, ranked: Ranked, queries: str) -> dict[str, Any]:
    count = len(ranked.grades)
    weights = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=300).astype(np.float64)
    told: dict[str, Any] = {}
    for measure in ("map", "recall_at_1"):
        value = RANKED[measure].value
        low, high = np.quantile(value(Weighed(ranked, weights)), [0.025, 0.975])
        told[measure] = {"value": float(value(Weighed(ranked))), "low": float(low), "high": float(high)}
    return {"table": "retrieval", "name": name, "how": how, "queries": queries, "count": count, **told}


RANKERS = (["style", "auto", "fast", "hybrid"], ["phash", "hsv", "palette", "embedding"])
"""Presets and methods that are asked whether a recolour ranks above another garment."""


OTHERS = 10
"""Other garments of its colour that each garment is compared with."""


def recolours(root: Path, features: KeptFeatures, held_out: HeldOut, seed: int) -> list[dict[str, Any]]:
    """Rows: how often a garment in another colour scores over another garment of the same colour.

    Main views. For every garment a in two colours, and other garments c of a's first colour:
    score(a, b) > score(a, c). ``auto`` by one rule for each a, that does not know it.
    """
    pictures = [picture for picture in read(root, "magento") if picture.view == "main" and picture.category]
    others = {
        a: sample([c for c in pictures if c.product != a.product and c.colour == a.colour], OTHERS, seed)
        for a in pictures
    }
    triples = [
        (a, b, c)
        for a in pictures
        for b in pictures
        if a.product == b.product and a.colour != b.colour
        for c in others[a]
    ]
    if not triples:
        return []
    pairs = list(dict.fromkeys((a, other) for a, b, c in triples for other in (b, c)))
    rows = []
    for contestant in contestants_of(*RANKERS):
        if contestant.name == "auto":
            scores = _unknown(pairs, features, held_out)
        else:
            once = list(dict.fromkeys(_either_way(*pair) for pair in pairs))
            found = _scores(once, compare_many(map(_paths, once), store=features, **contestant.request))
            scores = {pair: found[_either_way(*pair)] for pair in pairs}
        rows.append({"table": "recolours", "name": contestant.name, **_above(triples, scores)})
    return rows


Both = tuple[Labelled, Labelled]


def _either_way(a: Labelled, b: Labelled) -> Both:
    return (a, b) if a.name < b.name else (b, a)


def _paths(pair: Both) -> tuple[str, str]:
    return str(pair[0].path), str(pair[1].path)


def _scores(pairs: Sequence[Both], results: Iterable[Any]) -> dict[Both, float]:
    return {pair: result.score for pair, result in zip(pairs, results, strict=True) if isinstance(result, Comparison)}


def _unknown(pairs: Sequence[Both], features: KeptFeatures, held_out: HeldOut) -> dict[Both, float]:
    by_folds: dict[frozenset[int], list[Both]] = {}
    for pair in pairs:
        product = f"magento/{pair[0].product}"
        by_folds.setdefault(held_out.without([product], product), []).append(pair)
    found: dict[Both, float] = {}
    for left_out, some in by_folds.items():
        found |= _scores(some, held_out.compared([_paths(pair) for pair in some], left_out, features))
    return found


def _above(triples: Sequence[tuple[Labelled, Labelled, Labelled]], scores: Mapping[Both, float]) -> dict[str, Any]:
    """Share of triples in order, of all and of those in one category, with an interval over garments."""
    products = {name: number for number, name in enumerate(dict.fromkeys(a.product for a, _, _ in triples))}
    whose = np.array([products[a.product] for a, _, _ in triples])
    right = np.array([scores[a, b] > scores[a, c] for a, b, c in triples])
    close = np.array([c.category == a.category for a, _, c in triples])
    count = len(products)
    weights = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=500)[:, whose]
    low, high = np.quantile((weights @ right) / weights.sum(axis=1), [0.025, 0.975])
    recoloured = [scores[a, b] for a, b in dict.fromkeys(_either_way(a, b) for a, b, _ in triples) if (a, b) in scores]
    return {
        "triples": len(triples),
        "garments": count,
        "share": {"value": float(right.mean()), "low": float(low), "high": float(high)},
        "share_in_category": float(right[close].mean()),
        "triples_in_category": int(close.sum()),
        "recolours_in_band": float(np.mean([0.80 <= score < 0.90 for score in recoloured])),
        "recolours_over_band": float(np.mean([score >= 0.90 for score in recoloured])),
        "recolours": len(recoloured),
    }

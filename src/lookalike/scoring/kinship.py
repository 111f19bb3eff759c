"""What speaks for two pictures that are no copies showing the same product, or the same kind of thing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lookalike.scoring.terms import term

if TYPE_CHECKING:
    from lookalike.scoring.fusion import Answer, Fusion
    from lookalike.scoring.pair import Pair

FLAT = 2.0
"""Standard deviation of brightness, of 255, below which a picture shows nothing."""

LOG_ODDS = "log_odds_"
"""What stands before a piece of evidence where the details of a comparison tell what it added."""


def kinship(pair: Pair, fusion: Fusion, kin: float, *, closely: bool) -> Answer:
    """What the evidence says; the similarities behind it stay in ``pair.similarities``.

    Args:
        pair: the pictures.
        fusion: how evidence is weighed.
        kin: embedding cosine below which no object is looked for; there is none then.
        closely: look for one object in both pictures, which costs more than all else together.
    """
    answer = fusion.answer(evidence(pair, kin, closely=closely))
    pair.details.update({LOG_ODDS + piece: added for piece, added in answer.added.items()}, log_odds_base=answer.base)
    return answer


def evidence(pair: Pair, kin: float, *, closely: bool = True) -> dict[str, float]:
    """The pieces of evidence by name, the higher the more alike.

    ``embedding`` is the cosine, ``palette`` the similarity of colours, ``object`` the logarithm of 1 + the points that
    agree in place and colour: 0 below a cosine of ``kin``, absent where it was not asked for.
    """
    pair.prepare("embedding", "palette")
    found = {"embedding": term(pair, "cosine"), "palette": pair.similarity("palette")}
    if any(float(look.std()) < FLAT for look in pair.features("look")):
        found["embedding"] = min(found.values())  # where nothing is to be seen, pictures are as alike as their colours
    if closely:
        points = pair.raw("object") if found["embedding"] >= kin else 0.0
        pair.details["agreeing_points"] = points
        found["object"] = math.log1p(points)
    return found

"""What a training says of itself: figures before and after, and whether that is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.errors import printable
from lookalike.lab.training.judge import Figure

if TYPE_CHECKING:
    from lookalike.lab.training.run import Trained

NAMES = {"map": "mAP", "recall_at_1": "recall@1", "auc": "AUC"}


def figures(trained: Trained) -> str:
    """A table of the figures on the held-out part, with what they were measured on above it."""
    judged, request = trained.judgement, trained.request
    what = f"{judged.pictures:,} pictures" + (f" of {judged.products:,} products" if judged.products else "")
    if request.kind == "whole" and trained.about["learned_from"] == "edited views":
        what = f"edited copies of {judged.products:,} pictures, each looking for its original"
    lines = [f"held out: {what}; nothing was learned from them"]
    if judged.figures:
        lines.append(f"{'':10}  {'before':>7}  {'after':>7}  {'gain':>7}  95 % of draws")
    for name, figure in judged.figures.items():
        lines.append(f"{NAMES[name]:10}  {figure.before:7.3f}  {figure.after:7.3f}  {_signed(figure)}")
    if "variance_kept" in trained.about:
        kept, dimension = trained.about["variance_kept"], trained.about["dimension"]
        lines.append(f"variance    {kept:.1%} is kept by {dimension} components")
    if request.kind in ("binary", "pca", "whiten"):
        near = judged.agreement
        lines.append(
            f"neighbours  {near['10']:.1%} of the ten nearest before are among the ten nearest after, "
            f"{near['100']:.1%} among the 100 nearest"
        )
    if request.kind == "binary" and trained.about["step"] == 0:
        lines.append("training found nothing better than the codes it began with (iterative quantisation)")
    return "\n".join(lines)


def not_better(trained: Trained) -> tuple[str, str]:
    """Why what was trained is not better, with both figures; and what can be done."""
    figure = trained.judgement.figures["map"]
    first = trained.judgement.figures["recall_at_1"]
    low, high = figure.interval
    spread = f"mAP {figure.before:.3f} before, {figure.after:.3f} after (gain {low:+.3f} to {high:+.3f})"
    if figure.better and first.worse:
        spread += f", but recall@1 {first.before:.3f} before, {first.after:.3f} after"
    called = f"the trained {trained.request.kind if trained.request.kind == 'head' else 'network'}"
    reason = f"{called} is not better than {printable(trained.request.model)} on what was held out: {spread}"
    few = "; more labelled products narrow the interval" if high > 0 else ""
    return reason, f"nothing was written, go on with {printable(trained.request.model)}{few}, or --keep-anyway"


def use(trained: Trained) -> list[str]:
    """Commands that use the network."""
    out = printable(str(trained.request.out))
    return [
        f"lookalike compare A B --method embedding --model {out}",
        f"lookalike evaluate LABELS --model {out}",
        f"lookalike calibrate PAIRS --method embedding --model {out} --out thresholds.json",
    ]


def _signed(figure: Figure) -> str:
    low, high = figure.interval
    return f"{figure.gain:+7.3f}  {low:+.3f} to {high:+.3f}"

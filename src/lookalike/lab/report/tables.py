"""The measures of all contestants as tables."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lookalike.errors import printable
from lookalike.lab.evaluated import Evaluation, Result
from lookalike.lab.labelled import VERDICTS
from lookalike.lab.measures import Measure
from lookalike.lab.report.sentences import number, of_confusion, reasons


def measures_table(evaluation: Evaluation) -> Iterator[str]:
    """A row for every measure, a column for every contestant; what each measure tells, below."""
    measures = evaluation.measures
    yield '<section><h2>The table</h2><div class="wide"><table><thead><tr><th></th>'
    yield from (f"<th>{escape(printable(each.name))}</th>" for each in evaluation.results)
    yield "</tr></thead><tbody>"
    for name, measure in measures.items():
        best = _best(name, measure, evaluation.results)
        yield f'<tr><th title="{escape(measure.about)}">{escape(measure.title)}</th>'
        yield from (_cell(name, each, best=each.name in best) for each in evaluation.results)
        yield "</tr>"
    if any(each.milliseconds is not None for each in evaluation.results):
        yield '<tr><th title="Median of a few pairs, each alone, with nothing remembered.">milliseconds per pair</th>'
        yield from (
            f"<td>{'–' if each.milliseconds is None else f'{each.milliseconds:.0f}'}</td>"
            for each in evaluation.results
        )
        yield "</tr>"
    over = "pictures" if evaluation.kind == "pairs" else "queries"
    yield (
        f'</tbody></table></div><p class="said">Below each number stands the interval that holds it in 95 % of rounds '
        f"in which {over} are drawn anew; the best of a row is bold.</p>"
    )
    yield from (f'<p class="said">– {escape(printable(reason, 300))}.</p>' for reason in reasons(evaluation))
    yield '<details><summary>What the numbers mean</summary><dl class="terms">'
    for measure in measures.values():
        yield f"<dt>{escape(measure.title)}</dt><dd>{escape(measure.about)}</dd>"
    yield "</dl></details></section>"


def _best(name: str, measure: Measure[object], results: tuple[Result, ...]) -> set[str]:
    values = {each.name: each.measures[name].value for each in results if name in each.measures}
    if not measure.better or len(values) < 2:
        return set()
    best = (max if measure.better == "higher" else min)(values.values())
    return {each for each, value in values.items() if value == best}


def _cell(name: str, result: Result, *, best: bool) -> str:
    told = result.measures.get(name)
    if told is None:
        return "<td>–</td>"
    value = f"<b>{number(told.value)}</b>" if best else number(told.value)
    if told.low != told.low:
        return f"<td>{value}</td>"
    return f"<td>{value}<small>{number(told.low, 2)} – {number(told.high, 2)}</small></td>"


def confusions(evaluation: Evaluation) -> Iterator[str]:
    """Label against verdict, for labels that are verdicts."""
    told = [each for each in evaluation.results if each.confusion is not None]
    if not told:
        return
    yield '<section><h2>Labels and verdicts</h2><div class="charts">'
    for result in told:
        yield f'<figure class="drawn"><h3>{escape(printable(result.name))}</h3><div class="wide">'
        yield '<table class="confusion"><thead><tr><th>labelled ↓ &nbsp; told →</th>'
        yield from (f"<th>{verdict}</th>" for verdict in VERDICTS)
        yield "</tr></thead><tbody>"
        for label, row in (result.confusion or {}).items():
            total = sum(row.values())
            if not total:
                continue
            yield f"<tr><th>{label}</th>"
            for verdict, count in row.items():
                shade = f"q{round(4 * count / total)}" if count else "none"
                yield f'<td class="{shade}{" right" if verdict == label else ""}">{count or "·"}</td>'
            yield "</tr>"
        yield f"</tbody></table></div><figcaption>{escape(of_confusion(result))}</figcaption></figure>"
    yield "</div></section>"

"""Write report.md and report.html from a result, and the table that the terminal shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reclamo.errors import MissingExtraError
from reclamo.evaluation import plots, tables
from reclamo.evaluation.mistakes import Mistake
from reclamo.evaluation.schema import ALL, Result
from reclamo.taxonomy import Taxonomy

HOW_READ = (
    "The role is given for the heads that are asked of one role, and whether it is a complaint for its grounds, so that every head is "
    "measured on its own; the role itself is read from the text alone. What the grounds reach without that gift stands under "
    "“End to end”. Severity is none where the complaint is predicted as no. A head that a message was not annotated for takes no part. "
    "Macro-F1 is over the labels that the set holds, and the mean over the heads with at least ten messages. Intervals are 95 % "
    "percentile bootstrap over whole scenarios, the same draws for all systems; * marks a difference whose interval is clear of 0. "
    "McNemar's test counts messages, each for itself. "
    "All systems are calibrated by one procedure for temperatures and thresholds; on how many messages each was trained and calibrated "
    "stands under “Provenance”. “Annotators” is how far two annotators agreed with each other on other messages, half of them real, and "
    "not on this set: a mark to aim at, measured elsewhere."
)


def summary(result: Result) -> str:
    """The side-by-side table for the terminal, and whatever the checks shout."""
    parts = []
    for one in result.sets:
        parts += [tables.head_table(result, one.name, language).plain() for language in result.languages(one.name)]
        parts.append(tables.mean_table(result, one.name).plain())
    alarms = [f"ALARM {check.check}: {finding}" for check in result.checks for finding in check.findings]
    return "\n\n".join([*parts, "\n".join(alarms) or "No check raised an alarm."])


def write_reports(result: Result, folder: Path, taxonomy: Taxonomy, mistakes: Sequence[Mistake]) -> None:
    """Write report.md and report.html.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    (folder / "report.md").write_text(render("report.md.j2", **_common(result)), encoding="utf-8")
    html = render("report.html.j2", **_common(result), plots=_plots(result, taxonomy), mistakes=[_pieces(one) for one in mistakes])
    (folder / "report.html").write_text(html, encoding="utf-8")


def render(template: str, **values: Any) -> str:
    """Fill a template; HTML is escaped by the engine."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtraError("jinja2", "train") from error
    environment = Environment(
        loader=PackageLoader("reclamo.evaluation"),
        autoescape=lambda name: bool(name) and ".html" in str(name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**values)


def _common(result: Result) -> dict[str, Any]:
    return {
        "result": result,
        "how_read": HOW_READ,
        "checks": tables.check_table(result),
        "alarms": sum(len(check.findings) for check in result.checks),
        "sets": [(one, list(tables.set_tables(result, one.name))) for one in result.sets],
        "behaviour": list(tables.behaviour_tables(result)),
        "costs": tables.cost_table(result),
    }


def _plots(result: Result, taxonomy: Taxonomy) -> list[tuple[str, list[plots.Figure]]]:
    """Figures by section."""
    sections = [
        (f"Scores, {one.name}", [plots.bars(result, one.name, language) for language in result.languages(one.name)]) for one in result.sets
    ]
    for one in result.sets:
        language = ALL if len(one.languages) > 1 else next(iter(one.languages))
        sections.append((f"Reliability, {one.name}", list(_each(plots.reliability, result, one.name, language))))
        sections.append((f"Confusion, {one.name}", list(_each(plots.confusion, result, one.name, language))))
    sections.append(("Risk and coverage", [plots.risk_coverage(result, one.name) for one in result.sets]))
    if len(result.learning) > 1:
        sections.append(("Learning curve", [plots.learning(result.learning)]))
    return sections


def _each(plot: Any, result: Result, set_name: str, language: str) -> Iterator[plots.Figure]:
    for head in result.heads(set_name):
        score = result.score(result.model, set_name, language, head)
        figure = plot(score) if score is not None else None
        if figure is not None:
            yield figure


def _pieces(mistake: Mistake) -> tuple[Mistake, list[tuple[str, float]]]:
    """Cut the text of a mistake at its evidence: (stretch, weight), weight 0 outside of it."""
    text = mistake.text or ""
    pieces: list[tuple[str, float]] = []
    at = 0
    for span in sorted(mistake.evidence, key=lambda one: one.start):
        pieces += [(text[at : span.start], 0.0), (text[span.start : span.end], span.weight)]
        at = span.end
    return mistake, [piece for piece in [*pieces, (text[at:], 0.0)] if piece[0]]

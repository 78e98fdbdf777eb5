"""The learning curve: would more messages still help, and of which label?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from reclamo.errors import UsageError
from reclamo.evaluation.compare import EvaluationSet, compare
from reclamo.evaluation.plots import COLOURS, INK
from reclamo.evaluation.systems import Fitting, fit_baselines, load_tagger
from reclamo.taxonomy import Taxonomy, load_taxonomy
from reclamo.training.config import TrainConfig
from reclamo.training.prepare import prepare
from reclamo.training.run import run

Progress = Callable[[str], None]
WIDTH, HEIGHT, LEFT, TOP = 300.0, 190.0, 38.0, 26.0
COLUMNS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Point:
    """One system's headline score on one head, trained on one share of the messages: macro-F1, or micro-F1 of any-of heads.

    The head `mean` is the mean over the heads.
    """

    system: str
    share: float
    messages: int
    head: str
    score: float


def learning_curve(
    config: TrainConfig,
    shares: Sequence[float],
    test: EvaluationSet,
    folder: Path,
    *,
    whole: str | None = None,
    progress: Progress | None = None,
) -> list[Point]:
    """Train the tagger and the TF-IDF baseline on shares of the training messages and measure both on a test set.

    Args:
        config: of the training; its run and output are put below `folder`. shares: such as (0.1, 0.25, 0.5, 1.0).
        whole: a tagger that was already trained on everything, taken for the share 1.0.

    Raises:
        UsageError: the configuration is a student's, or there is nothing to measure.
    """
    if config.distil:
        raise UsageError("a student's teacher has seen every message, whatever the share; give the teacher's configuration")
    if not test.examples:
        raise UsageError('no row has the split "test", so nothing could be measured after the trainings; give rows of that split')
    taxonomy = load_taxonomy(config.model.taxonomy)
    whole_set = list(test.languages())[-1]  # `all`, or the only language
    points: list[Point] = []
    for share in shares:
        data = config.data.model_copy(update={"fraction": share})
        place = folder / f"{share:g}"
        part = config.model_copy(update={"data": data, "run": str(place / "run"), "output": str(place / "tagger")})
        path = whole if share == 1.0 and whole else str(run(part).path)
        prepared = prepare(data, taxonomy)
        fitting = Fitting(
            taxonomy=taxonomy, train=prepared.train, partial=prepared.partial, validation=prepared.validation, progress=progress
        )
        systems = {"transformer": load_tagger(path)[1], "tfidf": next(iter(fit_baselines(["tfidf"], fitting)))}
        found = compare(list(systems.values()), [test], taxonomy, resamples=2, progress=progress)
        names = {system.name: kind for kind, system in systems.items()}
        mine = [(names[s.system], s.head, s.score.value) for s in found.scores if s.language == whole_set]
        mine += [(names[m.system], "mean", m.score.value) for m in found.means if m.language == whole_set]
        points += [Point(system=s, share=share, messages=len(prepared.train), head=h, score=round(v, 4)) for s, h, v in mine]
    return points


def curve_table(points: Sequence[Point], taxonomy: Taxonomy) -> str:
    """A Markdown table: a row for each head and system, a column for each share."""
    shares = sorted({(point.share, point.messages) for point in points})
    lines = ["| head | system | " + " | ".join(f"{share:.0%} ({n:,})" for share, n in shares) + " |", "|---" * (2 + len(shares)) + "|"]
    for head in _heads(points, taxonomy):
        for system in ("transformer", "tfidf"):
            found = {p.share: p.score for p in points if p.head == head and p.system == system}
            cells = " | ".join(f"{found[share]:.3f}" if share in found else "–" for share, _ in shares)
            lines.append(f"| {head} | {system} | {cells} |")
    return "\n".join(lines)


def curve_plot(points: Sequence[Point], taxonomy: Taxonomy) -> str:
    """An SVG with a small plot for each head: score over share of the training messages, a line for each system."""
    heads = _heads(points, taxonomy)
    rows = -(-len(heads) // COLUMNS)
    parts = [_panel(points, head, (k % COLUMNS) * WIDTH, (k // COLUMNS) * HEIGHT + 20) for k, head in enumerate(heads)]
    legend = "".join(
        f'<text x="{LEFT + 110 * k}" y="14" font-size="12" fill="{COLOURS[k]}">{name}</text>'
        for k, name in enumerate(("transformer", "tfidf"))
    )
    size = f'viewBox="0 0 {WIDTH * COLUMNS:g} {HEIGHT * rows + 24:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>'
    return head + legend + "".join(parts) + "</svg>\n"


def write_curve(points: Sequence[Point], folder: Path, taxonomy: Taxonomy) -> None:
    """Write learning_curve.json, .md and .svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "learning_curve.json").write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n", encoding="utf-8")
    (folder / "learning_curve.md").write_text(curve_table(points, taxonomy) + "\n", encoding="utf-8")
    (folder / "learning_curve.svg").write_text(curve_plot(points, taxonomy), encoding="utf-8")


def _heads(points: Sequence[Point], taxonomy: Taxonomy) -> list[str]:
    return [head for head in ("mean", *taxonomy.by_name) if any(point.head == head for point in points)]


def _panel(points: Sequence[Point], head: str, x: float, y: float) -> str:
    mine = [point for point in points if point.head == head]
    low = min(0.1 * int(10 * point.score) for point in mine)
    wide, high = WIDTH - LEFT - 20, HEIGHT - TOP - 24

    def place(share: float, score: float) -> tuple[float, float]:
        return x + LEFT + wide * share, y + TOP + high * (1 - (score - low) / max(1 - low, 1e-9))

    parts = [f'<text x="{x + LEFT:.0f}" y="{y + TOP - 8:.0f}" font-size="13" fill="{INK}">{head}</text>']
    for score in (low, 1.0):
        (left, at), (right, _) = place(0, score), place(1, score)
        parts.append(f'<line x1="{left:.1f}" y1="{at:.1f}" x2="{right:.1f}" y2="{at:.1f}" stroke="#ccc"/>')
        parts.append(f'<text x="{left - 4:.1f}" y="{at + 4:.1f}" font-size="10" text-anchor="end" fill="{INK}">{score:.1f}</text>')
    for share in sorted({point.share for point in mine}):
        at, bottom = place(share, low)
        parts.append(f'<text x="{at:.1f}" y="{bottom + 13:.1f}" font-size="9" text-anchor="middle" fill="{INK}">{share:.0%}</text>')
    for k, system in enumerate(("transformer", "tfidf")):
        line = sorted((point.share, point.score) for point in mine if point.system == system)
        path = " ".join(",".join(f"{at:.1f}" for at in place(*point)) for point in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[k]}" stroke-width="2"/>')
        parts += [f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="3" fill="{COLOURS[k]}"/>' for cx, cy in (place(*point) for point in line)]
    return "".join(parts)

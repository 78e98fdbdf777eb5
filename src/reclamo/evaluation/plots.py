"""Figures as inline SVG: bars with intervals, reliability, confusion, risk and coverage, learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from markupsafe import Markup

from reclamo.evaluation.schema import Epoch, HeadScore, Result
from reclamo.evaluation.tables import language_name

COLOURS: Final = ("#1b6ca8", "#d98c2b", "#8a8f98", "#5aa469", "#9b5ab0", "#c2504d")
INK: Final = "#333"
GRID: Final = "#ddd"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A caption and its SVG, safe to put into HTML."""

    caption: str
    svg: Markup


def _svg(width: float, height: float, parts: Sequence[str], label: str) -> Markup:
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(label)}">'
    return Markup(head + "".join(parts) + "</svg>")  # every text in the parts went through _text, which escapes


def _text(x: float, y: float, text: str, *, anchor: str = "middle", size: int = 11, fill: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">{escape(text)}</text>'


def _line(points: Sequence[tuple[float, float]], colour: str, width: float = 1.0, dash: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashes}/>'


def _rect(x: float, y: float, width: float, height: float, fill: str, opacity: float = 1.0) -> str:
    size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{fill}" fill-opacity="{opacity:.3f}"/>'


def _legend(names: Sequence[str], x: float, y: float) -> list[str]:
    parts: list[str] = []
    for k, name in enumerate(names):
        parts += [_rect(x, y - 9, 10, 10, COLOURS[k % len(COLOURS)]), _text(x + 14, y, name, anchor="start")]
        x += 30 + 6.5 * len(name)
    return parts


def bars(result: Result, set_name: str, language: str) -> Figure:
    """One group of bars a head, one bar a system, with 95 % intervals."""
    heads = [head for head in result.heads(set_name) if result.score(result.model, set_name, language, head)]
    names = [system.name for system in result.systems]
    group, left, top, height = 16 * len(names) + 22, 36.0, 34.0, 180.0
    parts = _legend(names, left, 16)
    for tick in range(0, 11, 2):
        y = top + height * (1 - tick / 10)
        parts += [_line([(left, y), (left + group * len(heads), y)], GRID), _text(left - 6, y + 4, f"{tick / 10:.1f}", anchor="end")]
    for place, head in enumerate(heads):
        start = left + place * group + 11
        for k, name in enumerate(names):
            score = result.score(name, set_name, language, head)
            if score is None:
                continue
            x, one = start + 16 * k, score.score
            parts.append(_rect(x, top + height * (1 - one.value), 13, height * one.value, COLOURS[k % len(COLOURS)]))
            parts.append(_line([(x + 6.5, top + height * (1 - one.low)), (x + 6.5, top + height * (1 - one.high))], INK, 1.4))
        parts.append(_text(start + 8 * len(names) - 2, top + height + 16, head))
    caption = f"{set_name}, {language_name(language)}: headline score of each head with its 95 % interval"
    return Figure(caption=caption, svg=_svg(left + group * len(heads) + 10, top + height + 26, parts, caption))


def reliability(score: HeadScore) -> Figure:
    """Mean probability against frequency in ten bins; the bars below say how many answers are in each."""
    side, left, top = 150.0, 34.0, 10.0
    parts = [
        _line([(left, top + side), (left + side, top)], GRID, 1, "4 3"),
        _rect(left, top + side, side, 0.8, INK),
        _rect(left, top, 0.8, side, INK),
    ]
    bins = score.reliability
    most = max(bins.counts) or 1
    points = []
    for k, (count, confidence, frequency) in enumerate(zip(bins.counts, bins.confidence, bins.frequency, strict=True)):
        parts.append(_rect(left + side * k / 10 + 1, top + side + 34 - 24 * count / most, side / 10 - 2, 24 * count / most, GRID))
        if count:
            points.append((left + side * confidence, top + side * (1 - frequency)))
    parts.append(_line(points, COLOURS[0], 2))
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{COLOURS[0]}"/>' for x, y in points]
    parts += [_text(left - 5, top + 8, "1", anchor="end"), _text(left - 5, top + side, "0", anchor="end")]
    caption = f"{score.head}: calibration error {score.calibration_error:.3f}"
    return Figure(caption=caption, svg=_svg(left + side + 12, top + side + 40, parts, caption))


def confusion(score: HeadScore) -> Figure | None:
    """Truth by row, answer by column, shaded by the share of the row; None for any-of heads."""
    if score.confusion is None:
        return None
    cell, left, top = 44.0, 92.0, 54.0
    parts: list[str] = []
    for row, counts in enumerate(score.confusion):
        y = top + row * cell
        parts.append(_text(left - 6, y + cell / 2 + 4, score.confusion_labels[row], anchor="end"))
        parts.append(_text(left + (row + 0.5) * cell, top - 8 - 13 * (row % 2), score.confusion_labels[row], size=10))
        for column, count in enumerate(counts):
            share = count / max(sum(counts), 1)
            parts.append(_rect(left + column * cell, y, cell - 2, cell - 2, COLOURS[0], share))
            parts.append(_text(left + (column + 0.5) * cell - 1, y + cell / 2 + 4, str(count), fill="#fff" if share > 0.55 else INK))
    size = cell * len(score.confusion)
    caption = f"{score.head}: truth by row, answer by column"
    return Figure(caption=caption, svg=_svg(left + size + 8, top + size + 8, parts, caption))


def risk_coverage(result: Result, set_name: str) -> Figure:
    """The share of wrong messages among those answered, the surest first, for every system."""
    curves = [one for one in result.risk if one.set == set_name]
    width, height, left, top = 320.0, 170.0, 40.0, 34.0
    highest = max([point.risk for one in curves for point in one.points] + [0.05])
    parts = _legend([one.system for one in curves], left, 16)
    for tick in range(5):
        y = top + height * (1 - tick / 4)
        parts += [_line([(left, y), (left + width, y)], GRID), _text(left - 6, y + 4, f"{highest * tick / 4:.2f}", anchor="end")]
    for tick in range(6):
        parts.append(_text(left + width * tick / 5, top + height + 16, f"{0.5 + tick / 10:.1f}"))
    for k, one in enumerate(curves):
        points = [(left + width * (p.coverage - 0.5) * 2, top + height * (1 - p.risk / highest)) for p in one.points if p.coverage >= 0.5]
        parts.append(_line(points, COLOURS[k % len(COLOURS)], 2))
    caption = f"{set_name}: share of messages with a wrong exclusive or yes/no head (up) by the share that is answered (right)"
    return Figure(caption=caption, svg=_svg(left + width + 16, top + height + 24, parts, caption))


def learning(epochs: Sequence[Epoch]) -> Figure:
    """Validation score by epoch."""
    width, height, left, top = 320.0, 150.0, 46.0, 14.0
    low, high = min(one.score for one in epochs), max(one.score for one in epochs)
    spread = max(high - low, 1e-6)
    points = [(left + width * k / (len(epochs) - 1), top + height * (1 - (one.score - low) / spread)) for k, one in enumerate(epochs)]
    parts = [
        _line(points, COLOURS[0], 2),
        _text(left - 6, top + 4, f"{high:.3f}", anchor="end"),
        _text(left - 6, top + height, f"{low:.3f}", anchor="end"),
    ]
    parts += [_text(x, top + height + 16, str(one.epoch)) for (x, _), one in zip(points, epochs, strict=True)]
    caption = "Macro average precision on validation, by epoch of training"
    return Figure(caption=caption, svg=_svg(left + width + 14, top + height + 24, parts, caption))

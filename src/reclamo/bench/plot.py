"""The plot of a benchmark: messages a second by system, on a logarithmic scale, as SVG."""

from __future__ import annotations

import math
from html import escape
from typing import Any, Final

COLOURS: Final = ("#1b6ca8", "#d98c2b", "#8a8f98")
LEFT, WIDTH, BAR, GAP = 190.0, 760.0, 13.0, 12.0


def plot(result: dict[str, Any]) -> str:
    """Draw one group of bars a system, one bar a mix, with the least and the largest of the rounds."""
    mixes = [mix["name"] for mix in result["mixes"]]
    rates = {row["name"]: [row["mixes"][name]["messages_per_second"] for name in mixes] for row in result["systems"]}
    top = max(rate["high"] for row in rates.values() for rate in row)
    low = min(rate["low"] for row in rates.values() for rate in row)
    floor, decades = math.floor(math.log10(low)), math.ceil(math.log10(top)) - math.floor(math.log10(low))

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 60) * (math.log10(value) - floor) / max(1, decades)

    group = BAR * len(mixes) + GAP
    height = 40 + group * len(rates) + 24
    parts = [_text(LEFT + 110 * k + 14, 16, name) + _rect(LEFT + 110 * k, 6, 10, 10, COLOURS[k % 3]) for k, name in enumerate(mixes)]
    for power in range(floor, floor + decades + 1):
        at = x(10.0**power)
        parts.append(f'<line x1="{at:.1f}" y1="28" x2="{at:.1f}" y2="{height - 20:.1f}" stroke="#ddd"/>')
        parts.append(_text(at, height - 6, f"{10.0**power:g}", anchor="middle"))
    for place, (name, row) in enumerate(rates.items()):
        y = 36 + place * group
        parts.append(_text(LEFT - 8, y + BAR * len(mixes) / 2 + 4, name, anchor="end"))
        for k, rate in enumerate(row):
            parts.append(_rect(LEFT, y + k * BAR, x(rate["value"]) - LEFT, BAR - 2, COLOURS[k % 3]))
            middle = y + k * BAR + (BAR - 2) / 2
            parts.append(f'<line x1="{x(rate["low"]):.1f}" y1="{middle:.1f}" x2="{x(rate["high"]):.1f}" y2="{middle:.1f}" stroke="#333"/>')
            parts.append(_text(x(rate["high"]) + 4, middle + 4, f"{rate['value']:.3g}"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" font-family="sans-serif"'
    return (
        f'{head} role="img" aria-label="messages a second by system"><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="{anchor}" fill="#333">{escape(text)}</text>'


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}" fill="{fill}"/>'

"""A table on the terminal, for a person to read."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from reclamo.sinks.files import TextFile
from reclamo.tags import Tags
from reclamo.taxonomy import Taxonomy

COLOURS: Final = {"negative": "red", "positive": "green", "high": "bold red", "medium": "yellow", "bad": "red", "exceptional": "green"}
PIPED_WIDTH: Final = 140
SNIPPET: Final = (16, 44)  # characters of the message, on a narrow and on a wide terminal
OTHER_COLUMNS: Final = 96


class TableSink(TextFile):
    """Collect rows and print one table with a line of counts at the end, on the terminal or into a file."""

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False) -> None:
        super().__init__(path)
        self.rows: list[Tags] = []

    def write(self, tags: Tags) -> None:
        """Take one row."""
        self.rows.append(tags)

    def close(self) -> None:
        """Print, and finish."""
        self._print()
        super().close()

    def abort(self) -> None:
        """Print what there is; a file is given up."""
        if self.path is None:
            self._print()
        super().abort()

    def _print(self) -> None:
        from rich.console import Console
        from rich.table import Table

        console = Console() if self.path is None and sys.stdout.isatty() else Console(file=self.file, width=PIPED_WIDTH)
        snippet = min(max(console.width - OTHER_COLUMNS, SNIPPET[0]), SNIPPET[1])
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("message", "lang", "role", "sentiment", "complaint", "what", "reason / level", "p"):
            table.add_column(title, overflow="ellipsis", no_wrap=title not in ("what", "reason / level"))
        for tags in self.rows:
            table.add_row(*_cells(tags, snippet))
        console.print(table)
        console.print(_summary(self.rows), style="dim")


def _cells(tags: Tags, width: int) -> list[Any]:
    from rich.text import Text

    snippet = Text((tags.text or tags.id).replace("\n", " ")[:width])
    if tags.status == "unscored":
        why = Text(tags.unscored_reason or "", style="dim")
        return [snippet, tags.lang or "", tags.role or "", Text("unscored", style="dim"), "", why, "", ""]
    value = {name: tag.value for name, tag in tags.heads.items() if tag is not None}
    sentiment = str(value.get("sentiment", ""))
    complaint = value.get("complaint")
    severity = str(value.get("severity", "")) if complaint else ""
    lists = [item for item in value.values() if isinstance(item, list)]
    level = tags.service_level or value.get("reason", "")
    score = "" if tags.rubric_score is None else f" {tags.rubric_score:.0f}/100"
    sure = tags.heads.get("complaint")
    return [
        snippet,
        tags.lang or "",
        tags.role or "",
        Text(sentiment, style=COLOURS.get(sentiment, "")),
        Text(severity if complaint else "no" if complaint is False else "", style=COLOURS.get(severity, "")),
        ", ".join(label for item in lists for label in item) + (" · churn" if value.get("churn_risk") else ""),
        f"{level}{score}" + (" · review" if tags.needs_review else ""),
        f"{sure.p:.2f}" if sure is not None and isinstance(sure.p, float) else "",
    ]


def _summary(rows: list[Tags]) -> str:
    unscored = Counter(tags.unscored_reason for tags in rows if tags.status == "unscored")
    complaints = sum(1 for tags in rows if (tag := tags.heads.get("complaint")) is not None and tag.value)
    parts = [f"{len(rows)} messages", f"{complaints} complaints", f"{sum(tags.needs_review for tags in rows)} for review"]
    parts += [f"{count} unscored ({reason})" for reason, count in sorted(unscored.items(), key=str)]
    return ", ".join(parts)

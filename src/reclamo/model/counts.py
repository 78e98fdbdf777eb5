"""Count texts for the choice of a vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from reclamo.errors import UsageError

WORDS_TOTAL = 100_000.0
CAPITALISED_SHARE = 0.2
TEXT_WEIGHT = 1.0


def count_texts(paths: Iterable[Path]) -> dict[str, float]:
    """Weigh texts: word lists are scaled to the same total each, with a fifth as much for their capitalised forms.

    Raises:
        UsageError: a file of another ending.
    """
    counts: dict[str, float] = {}
    for path in paths:
        if path.suffix == ".txt":
            rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
            pairs = [(row[0], float(row[1])) for row in rows if len(row) == 2 and row[1].isdigit()]
            total = sum(count for _, count in pairs) or 1.0
            for word, count in pairs:
                counts[word] = counts.get(word, 0.0) + count / total * WORDS_TOTAL
                counts[word.capitalize()] = counts.get(word.capitalize(), 0.0) + count / total * WORDS_TOTAL * CAPITALISED_SHARE
        elif path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                text = str(json.loads(line)["text"])
                counts[text] = counts.get(text, 0.0) + TEXT_WEIGHT
        else:
            raise UsageError("unknown ending; give .txt word counts or .jsonl texts", path=path)
    return counts

"""Texts that stand in one another, wholly or for the most part, by the runs of words that they share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from reclamo.text.bare import bare

WORD: Final = re.compile(r"\w+")
RUN: Final = 6
SHARE: Final = 0.5


def shingles(text: str, words: int = RUN) -> set[int]:
    """Hashes of every run of so many words, accents and capitals aside; a text shorter than that is one run."""
    plain = WORD.findall(bare(text)) or [text.strip()]  # without words, such as "👍", the text itself
    return {hash(tuple(plain[start : start + words])) for start in range(max(1, len(plain) - words + 1))}


class Shingled:
    """Many texts, to be asked which of them hold another text.

    Args:
        texts: those that are searched. words: the length of a run.
    """

    def __init__(self, texts: Iterable[str], words: int = RUN) -> None:
        self.words = words
        self._rows: dict[int, list[int]] = {}
        for row, text in enumerate(texts):
            for shingle in shingles(text, words):
                self._rows.setdefault(shingle, []).append(row)

    def holding(self, text: str, share: float = SHARE) -> list[int]:
        """Which of the texts hold at least this share of the runs of `text`: their indices, ascending."""
        mine = shingles(text, self.words)
        shared = Counter(row for shingle in mine for row in self._rows.get(shingle, ()))
        return sorted(row for row, count in shared.items() if count >= share * len(mine))

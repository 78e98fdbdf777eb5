"""Where sentences start, by spaCy's rule-based sentencizer over a blank pipeline."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MARKS = [".", "!", "?", "…", ";", "·", "\u037e", "\n"]


@lru_cache(maxsize=1)
def _pipeline() -> Any:
    import spacy

    pipeline = spacy.blank("xx")
    pipeline.add_pipe("sentencizer", config={"punct_chars": MARKS})
    pipeline.max_length = 2_000_000
    return pipeline


def sentence_starts(text: str) -> list[int]:
    """List the character offsets at which sentences start. Example: «No. Nunca más.» -> [0, 4].

    The Greek question mark (;) ends a sentence too.
    """
    return [sentence.start_char for sentence in _pipeline()(text).sents]

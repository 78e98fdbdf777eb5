"""Letters that do not belong to the language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject
from reclamo.text.greeklish import is_greeklish

ALPHABETS: Final = {"el": "GREEK", "es": "LATIN", "it": "LATIN", "en": "LATIN", "pt": "LATIN", "fr": "LATIN", "de": "LATIN"}
LEAST_LETTERS: Final = 6
LEAST_SHARE: Final = {"GREEK": 0.25, "LATIN": 0.5}  # Greek messages hold many names in Latin letters
_WORD: Final = re.compile(r"[^\W\d_]{3,}")


def check_script(subject: Subject) -> Iterator[Finding]:
    """Find messages mostly in another alphabet than their language's (Greeklish aside), and words that mix alphabets."""
    looked_at = [index for lang, indices in subject.by_language.items() if lang in ALPHABETS for index in indices]
    if not looked_at:
        raise NotApplicable(f"no message in {', '.join(ALPHABETS)}")
    for index in looked_at:
        example, text = subject.examples[index], subject.texts[index]
        lang = example.lang or ""
        share = script_share(text, ALPHABETS[lang])
        latin_greek = lang == "el" and ("greeklish" in example.hard or is_greeklish(text))
        if share is not None and share < LEAST_SHARE[ALPHABETS[lang]] and not latin_greek:
            yield found("A211", f"{lang}, but {share:.0%} of the letters are {ALPHABETS[lang].capitalize()}", (example.id,))
        mixed = [word for word in _WORD.findall(text) if {"GREEK", "LATIN"} <= {_script(ch) for ch in word}]
        if mixed:
            shown = ", ".join(_marked(word) for word in mixed[:3])
            yield found("A212", f"{len(mixed)} word(s) of Greek and Latin letters: {shown}", (example.id,))


def script_share(text: str, alphabet: str) -> float | None:
    """The share of a text's letters that are of an alphabet; None where there are too few letters to tell."""
    letters = [ch for ch in text if ch.isalpha()]
    if len(letters) < LEAST_LETTERS:
        return None
    return sum(_script(ch) == alphabet for ch in letters) / len(letters)


@lru_cache(maxsize=4096)
def _script(ch: str) -> str:
    return unicodedata.name(ch, "").split(" ")[0]


def _marked(word: str) -> str:
    """Show the letters of the rarer alphabet in brackets. Example: «Kαλά» with a Latin K -> «[K]αλά»."""
    greek = sum(_script(ch) == "GREEK" for ch in word)
    rare = "LATIN" if greek * 2 >= len(word) else "GREEK"
    return "".join(f"[{ch}]" if _script(ch) == rare else ch for ch in word)

"""Openings and closings that recur."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject, quote

Ends = Callable[[Sequence[str], int], tuple[str, ...]]


def check_openings(subject: Subject) -> Iterator[Finding]:
    """Find first and last words (three, by the limit) that more than 1 % of a language's messages share; a contrast pair counts once."""
    size = subject.limits.opening_words
    if not any(len(words) >= size for words in subject.words):
        raise NotApplicable(f"no message has {size} words")
    ends: tuple[tuple[str, str, Ends], ...] = (
        ("A421", "begin with", lambda words, n: tuple(words[:n])),
        ("A422", "end with", lambda words, n: tuple(words[-n:])),
    )
    for code, verb, end in ends:
        for lang, indices in subject.by_language.items():
            yield from _recurring(subject, code, f"{lang} messages {verb}", indices, end)


def _recurring(subject: Subject, code: str, what: str, indices: Sequence[int], end: Ends) -> Iterator[Finding]:
    limits = subject.limits
    total = len({subject.pair(index) or index for index in indices})
    units: dict[tuple[str, ...], dict[str | int, int]] = defaultdict(dict)
    for index in indices:
        words = subject.words[index]
        if len(words) >= limits.opening_words:
            units[end(words, limits.opening_words)].setdefault(subject.pair(index) or index, index)
    for phrase, held in sorted(units.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(held) >= limits.opening_least and len(held) > limits.opening_share * total:
            yield found(code, f"{len(held)} of {total} {what} {quote(phrase)}", subject.ids(list(held.values())))

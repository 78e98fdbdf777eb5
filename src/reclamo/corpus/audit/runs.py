"""Long runs of words that messages share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject, quote, split_words

Words = Sequence[str | None]
Window = tuple[str | None, ...]


def check_runs(subject: Subject) -> Iterator[Finding]:
    """Find runs of eight words (by the limit) that two messages share; equal texts and sides of one contrast pair aside.

    Fixed phrases break a run: what is left on either side must be shared for itself.
    """
    size = subject.limits.run
    phrases = [words for words in map(split_words, subject.phrases) if words]
    broken = [without_phrases(words, phrases) for words in subject.words]
    if not any(len(words) >= size for words in broken):
        raise NotApplicable(f"no message has {size} words")
    holders = _shared_windows(subject, broken, size)
    reported: set[tuple[tuple[int, ...], Window]] = set()
    for index, words in enumerate(broken):
        for group, run in _merged(words, holders, size):
            if group[0] == index and (group, run) not in reported:
                reported.add((group, run))
                saw = f"{len(group)} messages share {len(run)} words: {quote([word or '' for word in run])}"
                yield found("A411", saw, subject.ids(group))


def without_phrases(words: Sequence[str], phrases: Sequence[Sequence[str]]) -> Words:
    """Put None in place of the words of fixed phrases. Example: "a b c d", phrase "b c" -> a None None d."""
    out: list[str | None] = list(words)
    for phrase in phrases:
        size = len(phrase)
        for start in range(len(words) - size + 1):
            if words[start] == phrase[0] and tuple(words[start : start + size]) == tuple(phrase):
                out[start : start + size] = [None] * size
    return out


def _shared_windows(subject: Subject, broken: Sequence[Words], size: int) -> dict[Window, tuple[int, ...]]:
    """The messages of every window that is shared without excuse."""
    held: dict[Window, dict[int, None]] = defaultdict(dict)
    for index, words in enumerate(broken):
        for start in range(len(words) - size + 1):
            window = tuple(words[start : start + size])
            if None not in window:
                held[window][index] = None
    shared = {window: tuple(sorted(indices)) for window, indices in held.items() if len(indices) > 1}
    return {window: group for window, group in shared.items() if not _excused(subject, group)}


def _excused(subject: Subject, group: tuple[int, ...]) -> bool:
    return subject.same_pair(group) or len({subject.folded[index] for index in group}) == 1


def _merged(words: Words, holders: dict[Window, tuple[int, ...]], size: int) -> Iterator[tuple[tuple[int, ...], Window]]:
    """The runs of one message: neighbouring windows of the same messages as one."""
    start, group = 0, None
    for at in range(len(words) - size + 2):
        here = holders.get(tuple(words[at : at + size])) if at <= len(words) - size else None
        if here != group:
            if group is not None:
                yield group, tuple(words[start : at - 1 + size])
            start, group = at, here

"""What is audited, and what several checks need of it, computed once."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from reclamo.corpus.audit.finding import Finding
from reclamo.corpus.audit.similarity import near_pairs
from reclamo.corpus.example import Example
from reclamo.taxonomy import Taxonomy
from reclamo.text import clean_text

_WORD: Final = re.compile(r"\w+")
_FINAL_SIGMA: Final = re.compile(r"(?<=\w)σ(?!\w)")  # case folding makes it σ


class NotApplicable(Exception):
    """Raised by a check that has nothing to look at; the words say why."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where checks draw the line.

    Attributes:
        near: Jaccard similarity over character 5-grams from which texts are near-duplicates.
        run: words in a row that two messages may not share.
        opening_words: that make an opening or closing. opening_share: of a language's messages that may share one.
        opening_least: messages from which an opening recurs at all.
        label_least: messages that a label should have in each language. ratio: of the commonest to the rarest label.
        token_support: messages from which a token, and a label, are looked at.
        token_explains: share of the label's entropy that a token gives away; where a share of `token_certain` of its messages
            have the label, `token_certain_explains` is enough.
        label_doubt: probability of a label up to which it may be listed as a likely error. max_tokens: that the model reads.
    """

    near: float = 0.5
    run: int = 8
    opening_words: int = 3
    opening_share: float = 0.01
    opening_least: int = 3
    label_least: int = 60
    ratio: float = 20.0
    token_support: int = 20
    token_certain: float = 0.95
    token_explains: float = 0.25
    token_certain_explains: float = 0.1
    label_doubt: float = 0.1
    max_tokens: int = 256


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A corpus under audit.

    Attributes:
        examples: with their texts as stored, and only labels that the taxonomy knows.
        problems: what reading them found. phrases: fixed phrases that messages may share.
        tokenizer: anything with `encode_batch`, or None. lock: the splits' lock file, or None.
    """

    examples: tuple[Example, ...]
    taxonomy: Taxonomy
    limits: Limits = Limits()
    problems: tuple[Finding, ...] = ()
    phrases: tuple[str, ...] = ()
    tokenizer: Any = None
    lock: Path | None = None

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts as readers give them."""
        return tuple(clean_text(example.text) for example in self.examples)

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The texts without case, accents and line structure."""
        return tuple(fold(text) for text in self.texts)

    @cached_property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The words of the folded texts."""
        return tuple(tuple(_WORD.findall(text)) for text in self.folded)

    @cached_property
    def near(self) -> tuple[tuple[int, int, float], ...]:
        """Pairs of indices with their similarity, where it reaches the limit and they are no sides of one contrast pair.

        Equal texts stand for each other: only the first of them is compared.
        """
        first: dict[tuple[str, str | None], int] = {}
        for index, text in enumerate(self.folded):
            first.setdefault((text, self.pair(index)), index)
        kept = list(first.values())
        pairs = near_pairs([self.folded[index] for index in kept], self.limits.near)
        found = ((kept[a], kept[b], score) for a, b, score in pairs)
        return tuple((a, b, score) for a, b, score in found if not self.same_pair((a, b)))

    @cached_property
    def by_language(self) -> dict[str, list[int]]:
        """Indices by language, for the languages that occur."""
        found: dict[str, list[int]] = defaultdict(list)
        for index, example in enumerate(self.examples):
            if example.lang:
                found[example.lang].append(index)
        return dict(sorted(found.items()))

    def pair(self, index: int) -> str | None:
        """The contrast pair of a message."""
        return self.examples[index].meta.get("pair")

    def same_pair(self, indices: Sequence[int]) -> bool:
        """Say whether messages are sides of one contrast pair."""
        pairs = {self.pair(index) for index in indices}
        return len(pairs) == 1 and None not in pairs

    def ids(self, indices: Sequence[int]) -> tuple[str, ...]:
        """The ids of messages."""
        return tuple(self.examples[index].id for index in indices)


CheckFunction = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A named check: a function that yields findings, or raises NotApplicable before the first."""

    name: str
    run: CheckFunction


def fold(text: str) -> str:
    """Take case, accents and line structure away. Example: «Ποτέ\\nΞΑΝΆ» -> «ποτε ξανα»."""
    bare = "".join(ch for ch in unicodedata.normalize("NFD", text) if not unicodedata.combining(ch))
    return " ".join(bare.casefold().split())


def split_words(text: str) -> tuple[str, ...]:
    """The folded words of any text."""
    return tuple(_WORD.findall(fold(text)))


def quote(words: Sequence[str], most: int = 16) -> str:
    """Show words, at most so many. Example: ("a", "b") -> «a b»."""
    shown = " ".join(words[:most]) + (" …" if len(words) > most else "")
    return f"«{_FINAL_SIGMA.sub('ς', shown)}»"

"""Word lists and patterns over a blank spaCy pipeline, negation handled: rules that a person can read and change."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from reclamo.baselines.predictor import Array, prior_logits
from reclamo.corpus import Example, encode_targets
from reclamo.errors import UsageError
from reclamo.taxonomy import Head, Taxonomy
from reclamo.text.bare import bare
from reclamo.text.language import detect_language

BUNDLED: Final = Path(__file__).with_name("lexicon.toml")
PLAIN_LISTS: Final = ("negations", "clause_starts")
CLAUSE_END: Final = frozenset(".,;:!?·…()\n")
SCOPE: Final = 3  # how many words a negation reaches
STEP: Final = 1.3  # what one hit adds to a logit
PRIOR: Final = 0.25  # how much of the prior the scores start from; all of it would drown the words
MOST_HITS: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A phrase found: the key that it speaks for (`head.label`), its words, and whether it stands under a negation."""

    key: str
    start: int
    end: int
    negated: bool


@dataclass(frozen=True, kw_only=True)
class WordLists:
    """The word lists of one language.

    Attributes:
        negations: words that deny what follows. clause_starts: words that end their reach.
        phrases: by `head.label`; a word that ends in * is a prefix.
    """

    language: str
    negations: tuple[str, ...]
    phrases: Mapping[str, tuple[str, ...]]
    clause_starts: tuple[str, ...] = ()

    @cached_property
    def _matchers(self) -> tuple[Any, Any, Any]:
        import spacy
        from spacy.matcher import Matcher, PhraseMatcher

        pipeline = spacy.blank(self.language)
        exact, patterns = PhraseMatcher(pipeline.vocab, attr="LOWER"), Matcher(pipeline.vocab)
        for key, phrases in self.phrases.items():
            plain = [pipeline.make_doc(bare(phrase)) for phrase in phrases if "*" not in phrase]
            if plain:
                exact.add(key, plain)
            prefixed = [[_token_pattern(word) for word in bare(phrase).split()] for phrase in phrases if "*" in phrase]
            if prefixed:
                patterns.add(key, prefixed)
        return pipeline, exact, patterns

    def find(self, text: str) -> list[Hit]:
        """Find the phrases of a text, each once, longest first at the same place."""
        pipeline, exact, patterns = self._matchers
        document = pipeline.make_doc(bare(text))
        matches = [match for matcher in (exact, patterns) if len(matcher) for match in matcher(document)]
        found = {(pipeline.vocab.strings[key], start, end) for key, start, end in matches}
        hits: list[Hit] = []
        for key, start, end in sorted(found, key=lambda hit: (hit[0], hit[1], -hit[2])):
            if hits and hits[-1].key == key and start < hits[-1].end:
                continue
            hits.append(Hit(key=key, start=start, end=end, negated=self._negated(document, start, end)))
        return hits

    def _negated(self, document: Any, start: int, end: int) -> bool:
        """Say whether a negation stands before the phrase in its clause; a phrase that has one of its own is not negated."""
        if any(document[i].text in self._negators for i in range(start, end)):
            return False
        for i in range(start - 1, max(-1, start - 1 - SCOPE), -1):
            if document[i].text in self._clause_ends:
                return False
            if document[i].text in self._negators:
                return True
        return False

    @cached_property
    def _clause_ends(self) -> frozenset[str]:
        return CLAUSE_END | {bare(word) for word in self.clause_starts}

    @cached_property
    def _negators(self) -> frozenset[str]:
        return frozenset(bare(word) for word in self.negations)


def _token_pattern(word: str) -> dict[str, Any]:
    if word.endswith("*"):
        return {"LOWER": {"REGEX": "^" + re.escape(word[:-1])}}
    return {"LOWER": word}


def load_word_lists(path: str | Path = BUNDLED) -> dict[str, WordLists]:
    """Read the word lists of all languages.

    Raises:
        UsageError: the file is missing or is not TOML of the form.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        return {language: _word_lists(language, table) for language, table in data.items()}
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror}); give a file of word lists", path=path) from error
    except (tomllib.TOMLDecodeError, AttributeError, TypeError) as error:
        raise UsageError(f"is no file of word lists: {error}", path=path) from error


def _word_lists(language: str, table: Mapping[str, Any]) -> WordLists:
    phrases = {
        f"{head}.{label}": tuple(words) for head, lists in table.items() if head not in PLAIN_LISTS for label, words in lists.items()
    }
    plain = {name: tuple(table.get(name, ())) for name in PLAIN_LISTS}
    return WordLists(language=language, phrases=phrases, **plain)


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """Count phrases and add them to the prior. Build it with `Lexicon.fit`.

    A hit speaks for its label; a negated hit of an ordered or yes/no head and of sentiment speaks for the opposite, of any
    other it is dropped. Grounds speak for the head that they require. The phrases of `head.no` speak against a yes/no head.
    """

    taxonomy: Taxonomy
    lists: Mapping[str, WordLists]
    prior: Array
    name: str = "lexicon"

    @classmethod
    def fit(cls, examples: Sequence[Example], taxonomy: Taxonomy, lists: Mapping[str, WordLists] | None = None) -> Lexicon:
        """Take the prior from the training messages; the word lists are not fitted."""
        prior = prior_logits(taxonomy, encode_targets(examples, taxonomy))
        return cls(taxonomy=taxonomy, lists=lists if lists is not None else load_word_lists(), prior=PRIOR * prior)

    def logits(self, examples: Sequence[Example]) -> Array:
        """Score messages: (messages, n_logits). A language without word lists gets the prior."""
        return np.stack([self._score(example) for example in examples]) if examples else np.zeros((0, len(self.prior)), np.float32)

    def _score(self, example: Example) -> Array:
        lists = self.lists.get(example.lang or detect_language(example.text, tuple(self.lists)) or "")
        if lists is None:
            return self.prior
        counts: dict[str, float] = {}
        for hit in lists.find(example.text):
            counts[hit.key] = counts.get(hit.key, 0.0) + (-1.0 if hit.negated else 1.0)
        extra = np.zeros_like(self.prior)
        for head in self.taxonomy.heads:
            hits = np.array([counts.get(f"{head.name}.{label}", 0.0) for label in head.names], dtype=np.float32)
            if head.kind == "yes_no":
                hits = hits - np.float32(max(counts.get(f"{head.name}.no", 0.0), 0.0))
            extra[self.taxonomy.slices[head.name]] += STEP * _head_evidence(head, hits)
            if head.requires is not None and head.kind == "any_of":
                extra[self.taxonomy.slices[head.requires]] += STEP * min(float(np.maximum(hits, 0).sum()), MOST_HITS)
        return np.asarray(self.prior + extra, dtype=np.float32)


def _head_evidence(head: Head, hits: Array) -> Array:
    """Turn the hits of each label into evidence for each logit. Example, ordered of 4: a hit of level 2 -> [1, 1, 0]."""
    if head.kind == "any_of":
        return np.clip(hits, 0, MOST_HITS)
    capped = np.clip(hits, -MOST_HITS, MOST_HITS)
    if head.kind == "ordered":
        level = np.arange(len(hits))
        return np.asarray([capped[level > k].sum() - capped[0] for k in range(head.n_logits)], dtype=np.float32)
    if head.kind == "one_of" and (capped < 0).any():
        # «not good» is bad: what is denied of the first label speaks for the last, and the other way round.
        return np.asarray(np.maximum(capped, 0) + np.maximum(-capped, 0)[::-1] * _is_scale(head), dtype=np.float32)
    return np.asarray(capped, dtype=np.float32)


def _is_scale(head: Head) -> float:
    """1 for heads of three labels with poles, such as sentiment; 0 for plain choices, where a denial says nothing."""
    return 1.0 if head.n_logits == 3 and head.names[1] == "neutral" else 0.0

"""Does the evidence carry the answer? Comprehensiveness and sufficiency by deletion (DeYoung et al., 2020), against random words."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from reclamo.artefact import Calibration
from reclamo.corpus import Example
from reclamo.engine import Tagger
from reclamo.engine.decode import Decoder, head_probabilities
from reclamo.engine.evidence import Directions, word_contributions
from reclamo.evaluation.schema import ALL, MEAN, FaithfulnessScore
from reclamo.tags import HeadTag
from reclamo.taxonomy import Head, Taxonomy

Array = NDArray[np.float32]
Spans = NDArray[np.int64]
PERCENTS: Final = (1, 5, 10, 20, 50)  # of the words of a message, rounded up
DRAWS: Final = 3  # random orders a message
LEAST_MESSAGES: Final = 5
UNSHOWN: Final = "role"  # the tagger gives no evidence for it
_GAP = re.compile(r"[ \t]{2,}")


class Explainer(Protocol):
    """Scores texts and says what each word contributed."""

    def logits(self, texts: Iterable[str]) -> Array:
        """Score texts: (texts, n_logits)."""

    def explain(self, texts: Sequence[str], wanted: Sequence[Array]) -> Iterator[tuple[Spans, Array]]:
        """Give of each text its word spans (words, 2) and their contributions to the wanted sums of logits.

        Args:
            wanted: for each text (n_logits, directions). The contributions are (words, directions).
        """


@dataclass(frozen=True, kw_only=True)
class TaggerExplainer:
    """A tagger, with the exact contributions that its evidence is made of."""

    tagger: Tagger

    def logits(self, texts: Iterable[str]) -> Array:
        """Score texts: (texts, n_logits)."""
        return self.tagger.logits(texts)

    def explain(self, texts: Sequence[str], wanted: Sequence[Array]) -> Iterator[tuple[Spans, Array]]:
        """Sum the network's token contributions over words, as the tagger does before it picks the strongest."""
        units = self.tagger.units(texts)
        scored = self.tagger.run(units, want_contributions=True)
        for index, text in enumerate(texts):
            mine = [u for u, unit in enumerate(units) if unit.message == index]
            offsets = np.concatenate([units[u].offsets for u in mine])
            yield word_contributions(text, offsets, np.concatenate([scored[u].contributions(wanted[index]) for u in mine]))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An answer that the evidence has to carry: label `column` of a head, and the sum of logits that its evidence explains."""

    head: Head
    column: int
    weights: Array

    def probability(self, p: Mapping[str, Array]) -> Array:
        """Its probability by those of all heads (n, labels): (n,). Of a level it is that of this one or a higher one."""
        mine = p[self.head.name]
        return np.asarray(mine[:, self.column :].sum(axis=1) if self.head.kind == "ordered" else mine[:, self.column])


@dataclass(frozen=True, kw_only=True)
class Effect:
    """By how much one answer's probability falls without its words, and with them alone, beside words drawn at random."""

    comprehensiveness: float
    sufficiency: float
    random_comprehensiveness: float
    random_sufficiency: float


def claims(taxonomy: Taxonomy, heads: Mapping[str, HeadTag | None]) -> list[Claim]:
    """Give what was answered of a message and is shown with evidence; of an any-of head the surest label."""
    found: dict[str, tuple[float, Claim]] = {}
    for key, weights in Directions(taxonomy).of(heads):
        name, _, label = key.partition(".")
        if name == UNSHOWN:
            continue
        head, tag = taxonomy.by_name[name], heads[name]
        assert tag is not None
        label = label or (head.names[0] if head.kind == "yes_no" else str(tag.value))
        p = tag.p[label] if isinstance(tag.p, dict) else tag.p
        if name not in found or p > found[name][0]:
            found[name] = (p, Claim(head=head, column=head.names.index(label), weights=weights))
    return [claim for _, claim in found.values()]


def without(text: str, spans: Spans, dropped: Sequence[int] | NDArray[np.int64]) -> str:
    """Delete words. Example: the second of «no me contestan» -> «no contestan»."""
    kept, at = [], 0
    for index in sorted(int(k) for k in dropped):
        kept.append(text[at : spans[index, 0]])
        at = int(spans[index, 1])
    return _GAP.sub(" ", "".join([*kept, text[at:]])).strip()


def first_words(words: int) -> list[int]:
    """How many words each percentage takes. Example: 30 words -> [1, 2, 3, 6, 15]."""
    return [-(-percent * words // 100) for percent in PERCENTS]


@dataclass(frozen=True, kw_only=True)
class _Deletions:
    """Rows of the scored texts: without the first words of an order, and with them alone, by percentage."""

    without: list[int]
    only: list[int]

    def falls(self, full: float, p: Array) -> tuple[float, float]:
        return full - float(p[self.without].mean()), full - float(p[self.only].mean())


class _Texts:
    """Distinct texts, each to be scored once."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def add(self, text: str) -> int:
        return self._rows.setdefault(text, len(self._rows))

    def deletions(self, text: str, spans: Spans, order: NDArray[np.int64]) -> _Deletions:
        counts = first_words(len(order))
        return _Deletions(
            without=[self.add(without(text, spans, order[:n])) for n in counts],
            only=[self.add(without(text, spans, order[n:])) for n in counts],
        )

    def logits(self, explainer: Explainer) -> Array:
        """Score them, the short ones first, since a batch is as long as its longest."""
        texts = sorted(self._rows, key=len)
        scores = explainer.logits(texts)
        found = np.empty_like(scores)
        found[[self._rows[text] for text in texts]] = scores
        return found


def effects(
    explainer: Explainer, examples: Sequence[Example], taxonomy: Taxonomy, calibration: Calibration, seed: int = 17
) -> list[tuple[Example, Claim, Effect]]:
    """Delete words of every message and see what becomes of each of its answers; answers are read from the text alone.

    A deletion takes the first 1, 5, 10, 20 and 50 % of the words by evidence, or leaves only those; the fall of the
    probability is averaged over the five. Random words are the mean of three draws, the same for all answers of a message.
    """
    texts = [example.text for example in examples]
    said = [claims(taxonomy, one.heads) for one in Decoder(taxonomy, calibration).decode(explainer.logits(texts))]
    none = np.zeros((taxonomy.n_logits, 0), np.float32)
    wanted = [np.stack([claim.weights for claim in mine], axis=1) if mine else none for mine in said]
    rows, plans = _Texts(), []
    for example, mine, (spans, weights) in zip(examples, said, explainer.explain(texts, wanted), strict=True):
        if not len(spans) or not mine:
            continue
        rng = np.random.default_rng([seed, *example.id.encode()])
        orders = [rng.permutation(len(spans)) for _ in range(DRAWS)]
        chance = [rows.deletions(example.text, spans, order) for order in orders]
        ranked = [np.argsort(-weights[:, k], kind="stable") for k in range(len(mine))]
        plans.append((example, rows.add(example.text), chance, mine, [rows.deletions(example.text, spans, order) for order in ranked]))
    if not plans:
        return []
    p = _probabilities(taxonomy, calibration, rows.logits(explainer))
    return [
        (example, claim, _effect(claim.probability(p), full, deleted, chance))
        for example, full, chance, mine, by_claim in plans
        for claim, deleted in zip(mine, by_claim, strict=True)
    ]


def _probabilities(taxonomy: Taxonomy, calibration: Calibration, logits: Array) -> dict[str, Array]:
    heads = calibration.heads
    return {h.name: head_probabilities(h, logits[:, taxonomy.slices[h.name]], heads[h.name]) for h in taxonomy.heads}


def _effect(p: Array, full: int, deleted: _Deletions, chance: Sequence[_Deletions]) -> Effect:
    whole = float(p[full])
    comprehensiveness, sufficiency = deleted.falls(whole, p)
    by_chance = np.mean([one.falls(whole, p) for one in chance], axis=0)
    return Effect(
        comprehensiveness=comprehensiveness,
        sufficiency=sufficiency,
        random_comprehensiveness=float(by_chance[0]),
        random_sufficiency=float(by_chance[1]),
    )


def draw(examples: Sequence[Example], most: int, seed: int) -> list[Example]:
    """Draw messages, as many of each language as there are, up to `most` in all."""
    by_language: dict[str, list[Example]] = {}
    for example in examples:
        by_language.setdefault(example.lang or "unknown", []).append(example)
    share = most // max(len(by_language), 1)
    rng = random.Random(seed)
    return [one for _, mine in sorted(by_language.items()) for one in rng.sample(mine, min(share, len(mine)))]


def faithfulness_scores(
    explainer: Explainer, system: str, set_name: str, examples: Sequence[Example], taxonomy: Taxonomy, calibration: Calibration, seed: int
) -> Iterator[FaithfulnessScore]:
    """Average the effects by language and head, and over the heads with at least five messages."""
    found = effects(explainer, examples, taxonomy, calibration, seed)
    codes = sorted({example.lang or "unknown" for example, _, _ in found})
    for language in [*codes, ALL] if len(codes) > 1 else codes:
        mine = [one for one in found if language in (ALL, one[0].lang or "unknown")]
        means, counts = [], []
        for head in taxonomy.heads:
            parts = [astuple(effect) for _, claim, effect in mine if claim.head.name == head.name]
            if len(parts) >= LEAST_MESSAGES:
                means.append(np.mean(parts, axis=0))
                counts.append(len(parts))
                yield _score(system, set_name, language, head.name, len(parts), means[-1])
        if means:
            yield _score(system, set_name, language, MEAN, sum(counts), np.mean(means, axis=0))


def _score(system: str, set_name: str, language: str, head: str, answers: int, mean: NDArray[np.float64]) -> FaithfulnessScore:
    names = ("comprehensiveness", "sufficiency", "random_comprehensiveness", "random_sufficiency")
    figures = {name: round(float(value), 4) for name, value in zip(names, mean, strict=True)}
    return FaithfulnessScore(
        system=system,
        set=set_name,
        language=language,
        head=head,
        answers=answers,
        times_random=round(float(mean[0] / mean[2]), 4) if mean[2] > 0 else None,
        **figures,
    )

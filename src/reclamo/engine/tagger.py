"""The tagger: messages in, tags out, lazily and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.artefact import Artefact, bundled_artefact, open_artefact
from reclamo.cache import cache_folder
from reclamo.engine.decode import Decoded, Decoder
from reclamo.engine.evidence import directions, pick_spans, word_contributions
from reclamo.engine.ngrams import LinearPart
from reclamo.engine.runtime import Runtime
from reclamo.engine.tokens import Unit, UnitMaker, batches_by_tokens, pad_batch
from reclamo.message import Message, Problem
from reclamo.tags import Evidence, Tags
from reclamo.taxonomy import Taxonomy, rubric_score, service_level
from reclamo.text import clean_text
from reclamo.text.language import detect_language, is_greeklish_text, warm_up
from reclamo.text.transliterate import Transliterated, transliterate

Array = NDArray[np.float32]
CHUNK: Final = 256
TOKENS_PER_BATCH: Final = 1024  # what a layer works on then stays in a core's own cache
MAX_CHARACTERS: Final = 1_048_576


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a tagger runs.

    Attributes:
        threads: of the run-time; all cores by default.
        precision: `auto`, `bf16` or `fp32`.
        evidence: whether to give the words that made each score.
        review_rate: share of messages to mark for review, by the curve fitted on validation; None keeps the artefact's margin.
        max_risk: largest error rate to leave among messages that are not marked; overrides review_rate.
        cache: folder for compiled networks, the user's cache folder by default; None keeps none.
        ngrams: whether the n-grams beside the network take part; without them scores are the network's own, uncalibrated.
    """

    threads: int | None = None
    precision: str = "auto"
    evidence: bool = True
    review_rate: float | None = None
    max_risk: float | None = None
    cache: Path | None = field(default_factory=cache_folder)
    ngrams: bool = True


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """Messages that are worked on together: `good` are the indices of those that can be scored, `units` are theirs."""

    messages: list[Message]
    good: list[int]
    units: list[Unit]


class Tagger:
    """Tag messages with one artefact. Build it with `reclamo.load`."""

    def __init__(self, artefact: Artefact, options: Options = Options()) -> None:
        Thread(target=warm_up, name="reclamo-warm-up", daemon=True).start()
        self.artefact = artefact
        self.options = options
        self.taxonomy: Taxonomy = artefact.taxonomy
        self.name = artefact.manifest.label
        self._units = UnitMaker(artefact.tokenizer, artefact.manifest.max_tokens)
        self._runtime = Runtime(
            artefact.network,
            threads=options.threads,
            precision=options.precision,
            cache=options.cache,
            identity=repr(sorted(artefact.manifest.files.items())),
        )
        self._linear = LinearPart.load(artefact.ngrams, artefact.taxonomy.n_logits) if options.ngrams and artefact.ngrams else None
        self._decoder = Decoder(artefact.taxonomy, artefact.manifest.calibration)
        self._margin = _margin(artefact, options)

    @property
    def precision(self) -> str:
        """What the network computes in."""
        return self._runtime.precision

    def tag(self, message: Message | str | Mapping[str, Any]) -> Tags:
        """Tag one message: a text, a row, or a `Message`."""
        chunk = self._read([self._prepare(message, 1)])
        return next(self._decode(chunk, *self._network(chunk.units, want_contributions=self.options.evidence)))

    def tag_many(self, messages: Iterable[Message | str | Mapping[str, Any]]) -> Iterator[Tags]:
        """Tag many messages lazily, in order; exactly one `Tags` for each, whatever it holds.

        While the network works on a chunk of 256 messages, the next one is read and tokenised and the one before decoded, so
        that at most two chunks are taken before the first tags are given.
        """
        numbered = enumerate(messages, 1)
        failures: list[Exception] = []
        waiting: tuple[_Chunk, Future[tuple[Array, list[Array]]]] | None = None
        with ThreadPoolExecutor(1, "reclamo-network") as network:
            while prepared := self._next_messages(numbered, failures):
                chunk = self._read(prepared)
                running = network.submit(self._network, chunk.units, want_contributions=self.options.evidence)
                if waiting is not None:
                    yield from self._decode(waiting[0], *waiting[1].result())
                waiting = chunk, running
            if waiting is not None:
                yield from self._decode(waiting[0], *waiting[1].result())
        if failures:
            raise failures[0]

    def _next_messages(self, numbered: Iterator[tuple[int, Any]], failures: list[Exception]) -> list[Message]:
        """Take the next chunk; where the source fails, take none and keep the failure until what was taken before is given."""
        try:
            return [self._prepare(item, number) for number, item in islice(numbered, CHUNK)]
        except Exception as error:
            failures.append(error)
            return []

    def logits(self, texts: Iterable[str]) -> Array:
        """Raw logits of cleaned texts, windows pooled: (texts, n_logits)."""
        parts = []
        source = iter(texts)
        while chunk := list(islice(source, CHUNK)):
            units = self.units(chunk)
            scores, _ = self.run(units, want_contributions=False)
            parts.append(np.stack([pool_windows(self.taxonomy, scores, units, index) for index in range(len(chunk))]))
        return np.concatenate(parts) if parts else np.zeros((0, self.taxonomy.n_logits), np.float32)

    def _prepare(self, item: Message | str | Mapping[str, Any], number: int) -> Message:
        if isinstance(item, str):
            message = Message(id=str(number), text=item)
        elif isinstance(item, Message):
            message = item
        else:
            message = Message.from_dict(item, id=str(number))
        if message.problem is not None:
            return message
        return self._check(replace(message, text=clean_text(message.text[: MAX_CHARACTERS + 1])))

    def _check(self, message: Message) -> Message:
        """Find the language and whatever keeps the message from being scored."""
        if len(message.text) > MAX_CHARACTERS:
            detail = f"the text is over {MAX_CHARACTERS} characters; split it"
            return replace(message, text="", problem=Problem(reason="over_limit", detail=detail))
        if not message.text:
            return replace(message, problem=Problem(reason="empty", detail="the message has no text of its own"))
        roles = self._known_roles()
        if message.role is not None and roles and message.role not in roles:
            detail = f"role is {message.role!r}; expected {' or '.join(roles)}, or none"
            return replace(message, problem=Problem(reason="broken", detail=detail))
        lang = message.lang or detect_language(message.text, self.taxonomy.languages)
        if lang is not None and lang not in self.taxonomy.languages:
            detail = f"the language looks like {lang!r}; this tagger reads {', '.join(self.taxonomy.languages)}"
            return replace(message, lang=lang, problem=Problem(reason="unsupported_language", detail=detail))
        return replace(message, lang=lang)

    def reading(self, text: str, lang: str | None) -> tuple[str, Transliterated | None]:
        """Give the text as the network reads it: Greeklish in Greek letters, with the way back; all else as it is."""
        if "el" not in self.taxonomy.languages or lang not in (None, "el") or not is_greeklish_text(text):
            return text, None
        greek = transliterate(text)
        return greek.text, greek

    def _known_roles(self) -> tuple[str, ...]:
        head = self.taxonomy.by_name.get("role")
        return head.names if head else ()

    def _read(self, messages: list[Message]) -> _Chunk:
        good = [index for index, message in enumerate(messages) if message.problem is None]
        units = self.units([messages[index].text for index in good], [messages[index].lang for index in good])
        return _Chunk(messages=messages, good=good, units=units)

    def _decode(self, read: _Chunk, scores: Array, contributions: list[Array]) -> Iterator[Tags]:
        chunk, good, units = read.messages, read.good, read.units
        scores, contributions = self.add_ngrams(units, scores, contributions)
        pooled = [pool_windows(self.taxonomy, scores, units, k) for k in range(len(good))]
        logits = np.stack(pooled) if pooled else np.zeros((0, self.taxonomy.n_logits), np.float32)
        decoded = self._decoder.decode(logits, [{"role": chunk[index].role} for index in good])
        place = {index: k for k, index in enumerate(good)}
        for index, message in enumerate(chunk):
            if index not in place:
                yield self._unscored(message)
                continue
            k = place[index]
            mine = [u for u, unit in enumerate(units) if unit.message == k] if len(units) > len(good) else [k]
            yield self._tags(message, decoded[k], [units[u] for u in mine], [contributions[u] for u in mine] if contributions else [])

    def units(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Unit]:
        """Cut cleaned texts into what the network reads; offsets count in the texts as typed, Greeklish too."""
        readings = [self.reading(text, langs[index] if langs else None) for index, text in enumerate(texts)]
        return [_typed_offsets(unit, readings[unit.message][1]) for unit in self._units.units([text for text, _ in readings])]

    def run(self, units: list[Unit], want_contributions: bool) -> tuple[Array, list[Array]]:
        """Score units: logits (units, n_logits), and contributions (n_logits, tokens) of each where wanted."""
        return self.add_ngrams(units, *self._network(units, want_contributions))

    def _network(self, units: list[Unit], want_contributions: bool) -> tuple[Array, list[Array]]:
        """What the network alone gives, in batches by tokens."""
        scores = np.zeros((len(units), self.taxonomy.n_logits), dtype=np.float32)
        contributions: list[Array] = [np.zeros((0, 0), np.float32)] * len(units) if want_contributions else []
        groups = batches_by_tokens([len(unit.ids) for unit in units], TOKENS_PER_BATCH)[::-1]  # the longest first: all end together

        def take(number: int, batch_scores: Array, batch_contributions: Array) -> None:
            scores[groups[number]] = batch_scores
            if want_contributions:
                for line, i in enumerate(groups[number]):
                    contributions[i] = batch_contributions[line, :, : len(units[i].ids)].copy()

        if groups:
            self._runtime.run([pad_batch([units[i] for i in group], self._units.pad) for group in groups], take)
        return scores, contributions

    def add_ngrams(self, units: list[Unit], scores: Array, contributions: list[Array]) -> tuple[Array, list[Array]]:
        """Add what the n-grams give to what the network gave; a logit stays the exact sum of what each token gave.

        Args:
            scores: (units, n_logits). contributions: (n_logits, tokens) of each unit, or none where they are not wanted.
        """
        linear = self._linear
        if linear is None:
            return scores, contributions
        scores = scores * linear.network_scale
        for index, unit in enumerate(units):
            if not contributions:
                scores[index] += linear.logits(unit.text)
                continue
            logits, given = linear.explained(unit.text, unit.spans)
            scores[index] += logits
            contributions[index] = contributions[index] * linear.network_scale[:, None] + given
        return scores, contributions

    def _tags(self, message: Message, decoded: Decoded, units: list[Unit], contributions: list[Array]) -> Tags:
        role = decoded.heads.get("role")
        heads = decoded.heads
        rubric = heads.get(self.taxonomy.rubric_head) if self.taxonomy.rubric_head else None
        score = level = None
        if rubric is not None and isinstance(rubric.p, dict) and isinstance(rubric.value, list):
            score, level = rubric_score(self.taxonomy, rubric.p), service_level(self.taxonomy, rubric.value)
        return Tags(
            id=message.id,
            lang=message.lang,
            role=str(role.value) if role else message.role,
            status="tagged",
            heads=heads,
            rubric_score=score,
            service_level=level,
            evidence=self._evidence(message.text, decoded, units, contributions),
            needs_review=decoded.certainty < self._margin,
            windows=len(units),
            text=message.text,
            cleaning=message.cleaning,
            model=self.name,
        )

    def _evidence(self, text: str, decoded: Decoded, units: list[Unit], contributions: list[Array]) -> dict[str, list[Evidence]]:
        if not contributions:
            return {}
        wanted = list(directions(self.taxonomy, decoded.heads))
        weights = np.stack([direction for _, direction in wanted], axis=1) if wanted else np.zeros((self.taxonomy.n_logits, 0), np.float32)
        offsets = np.concatenate([unit.offsets for unit in units])
        tokens = np.concatenate([part.T @ weights for part in contributions])
        spans, sums = word_contributions(text, offsets, tokens)
        found = {key: pick_spans(spans, sums[:, column]) for column, (key, _) in enumerate(wanted) if key != "role"}
        return {key: evidence for key, evidence in found.items() if evidence}

    def _unscored(self, message: Message) -> Tags:
        problem = message.problem or Problem(reason="broken", detail="")
        return Tags(
            id=message.id,
            lang=message.lang,
            role=message.role,
            status="unscored",
            heads=dict.fromkeys(self.taxonomy.by_name),
            model=self.name,
            unscored_reason=problem.reason,
            detail=problem.detail,
            text=message.text,
            cleaning=message.cleaning,
        )


def _typed_offsets(unit: Unit, reading: Transliterated | None) -> Unit:
    return unit if reading is None else replace(unit, offsets=reading.map_offsets(unit.offsets))


def pool_windows(taxonomy: Taxonomy, scores: Array, units: list[Unit], message: int) -> Array:
    """Pool the logits of a message's windows: the mean by tokens for one-of heads, the largest for all others.

    What is stated in one window is stated; what is one thing of several is weighed.
    """
    if len(units) > message and units[message].message == message and (message + 1 == len(units) or units[message + 1].message > message):
        return np.asarray(scores[message])
    mine = [index for index, unit in enumerate(units) if unit.message == message]
    if len(mine) == 1:
        return np.asarray(scores[mine[0]])
    lengths = np.array([len(units[index].ids) for index in mine], dtype=np.float32)
    pooled = scores[mine].max(axis=0)
    for head in taxonomy.heads:
        if head.kind == "one_of":
            where = taxonomy.slices[head.name]
            pooled[where] = (scores[mine][:, where] * lengths[:, None]).sum(0) / lengths.sum()
    return np.asarray(pooled)


def _margin(artefact: Artefact, options: Options) -> float:
    calibration = artefact.manifest.calibration
    if options.max_risk is not None:
        fits = [cut for cut, _, risk in calibration.risk_coverage if risk <= options.max_risk]
        return fits[0] if fits else 1.01
    if options.review_rate is not None:
        fits = [cut for cut, share, _ in calibration.risk_coverage if share <= options.review_rate + 1e-9]
        return fits[-1] if fits else 0.0
    return calibration.review_margin


def load(path: str | Path | None = None, **options: Any) -> Tagger:
    """Load a tagger: `reclamo-small` by default, `reclamo-tiny`, or that of a folder.

    Args:
        options: the fields of `reclamo.engine.tagger.Options`.

    Raises:
        ArtefactError: the artefact is missing, altered or broken.
    """
    return Tagger(open_artefact(path if path is not None else bundled_artefact()), Options(**options))

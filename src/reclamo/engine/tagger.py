"""The tagger: messages in, tags out, lazily and in order."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from reclamo.artefact import Artefact, bundled_artefact, open_artefact
from reclamo.cache import cache_folder
from reclamo.engine.decode import Decoded, Decoder
from reclamo.engine.evidence import Directions, pick_spans, word_contributions
from reclamo.engine.ngrams import LinearPart
from reclamo.engine.runtime import HINTS, Runtime, Scores, Session
from reclamo.engine.scored import Counted, Scored, pool_all, pool_windows
from reclamo.engine.tokens import Unit, UnitMaker, batches_by_tokens, pad_batch
from reclamo.errors import UsageError
from reclamo.message import Message, Problem
from reclamo.tags import Evidence, Tags
from reclamo.taxonomy import Taxonomy, rubric_score, service_level
from reclamo.text import clean_text
from reclamo.text.language import detect_language, is_greeklish_text, warm_up
from reclamo.text.language_names import plain_language
from reclamo.text.transliterate import Transliterated, transliterate

Array = NDArray[np.float32]
log = logging.getLogger("reclamo")
CHUNK: Final = 256
TOKENS_PER_BATCH: Final = 1024  # what a layer works on then stays in a core's own cache
MAX_CHARACTERS: Final = 1_048_576  # of a cleaned text
MAX_RAW_CHARACTERS: Final = 4 * MAX_CHARACTERS  # before it is cleaned: line ends, runs of spaces and the like go
_Batch = tuple[list[int], Callable[[], Scores]]  # the indices of its units, and what waits for its scores


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

    Raises:
        UsageError: a value out of its range.
    """

    threads: int | None = None
    precision: str = "auto"
    evidence: bool = True
    review_rate: float | None = None
    max_risk: float | None = None
    cache: Path | None = field(default_factory=cache_folder)
    ngrams: bool = True

    def __post_init__(self) -> None:
        if self.precision not in HINTS:
            raise UsageError(f"precision is {self.precision!r}; expected {', '.join(HINTS)}")
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads is {self.threads}; expected 1 or more, or None for all cores")
        for name in ("review_rate", "max_risk"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UsageError(f"{name} is {value}; expected a share from 0 to 1, or None")
        if self.cache is not None:
            object.__setattr__(self, "cache", Path(self.cache))


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """Messages that are worked on together.

    Attributes:
        good: the indices of those that can be scored; `units` are theirs, their `message` counting in `good`.
    """

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
        self._directions = Directions(artefact.taxonomy)
        self._decoder = Decoder(artefact.taxonomy, artefact.manifest.calibration)
        self._margin = _margin(artefact, options)

    @property
    def precision(self) -> str:
        """What the network computes in."""
        return self._runtime.precision

    def tag(self, message: Message | str | Mapping[str, Any]) -> Tags:
        """Tag one message: a text, a row, or a `Message`. HTML is read as text, but not in a `Message`, which is taken as it is."""
        chunk = self._read([self._prepare(message, 1)])
        if len(chunk.units) == 1:  # here and now, with all threads
            score = partial(self._runtime, *pad_batch(chunk.units, self._units.pad), contributions=self.options.evidence)
            return next(self._finish(chunk, [([0], score)]))
        with self._runtime.session() as session:
            return next(self._finish(chunk, self._begin(chunk.units, session)))

    def tag_many(self, messages: Iterable[Message | str | Mapping[str, Any]]) -> Iterator[Tags]:
        """Tag many messages lazily, in order; exactly one `Tags` for each, whatever it holds. Where the source of the messages fails,
        its error comes after the tags of all messages that it gave.

        While the network works on a chunk of 256 messages, its batches are decoded as they come, and the next chunk is read and
        tokenised, so that at most two chunks are taken before the first tags are given.

        Raises:
            UsageError: one message where many are expected.
        """
        if isinstance(messages, (str, bytes, Mapping, Message)):
            raise UsageError(f"tag_many was given one {type(messages).__name__}; give a list of messages, or call tag")
        return self._tag_many(messages)

    def _tag_many(self, messages: Iterable[Message | str | Mapping[str, Any]]) -> Iterator[Tags]:
        numbered = enumerate(messages, 1)
        failures: list[Exception] = []
        waiting: tuple[_Chunk, list[_Batch]] | None = None
        with self._runtime.session() as session:
            while prepared := self._next_messages(numbered, failures):
                chunk = self._read(prepared)
                batches = self._begin(chunk.units, session)
                if waiting is not None:
                    yield from self._finish(*waiting)
                waiting = chunk, batches
            if waiting is not None:
                yield from self._finish(*waiting)
        if failures:
            raise failures[0]

    def _next_messages(self, numbered: Iterator[tuple[int, Any]], failures: list[Exception]) -> list[Message]:
        """Take the next chunk; where the source fails, keep the failure until what was taken before is given, and take no more."""
        taken: list[Message] = []
        if failures:
            return taken
        try:
            for number, item in islice(numbered, CHUNK):
                taken.append(self._prepare(item, number))  # one by one: a failure loses none that were taken
        except Exception as error:
            failures.append(error)
        return taken

    def logits(self, texts: Iterable[str]) -> Array:
        """Raw logits of cleaned texts, windows pooled: (texts, n_logits)."""
        parts = [np.zeros((0, self.taxonomy.n_logits), np.float32)]
        source = iter(texts)
        while chunk := list(islice(source, CHUNK)):
            scored = self.run(self.units(chunk), want_contributions=False)
            parts.append(pool_all(self.taxonomy, [one.logits for one in scored], [one.unit for one in scored]))
        return np.concatenate(parts)

    def _prepare(self, item: Message | str | Mapping[str, Any], number: int) -> Message:
        if isinstance(item, str):
            message = Message(id=str(number), text=item)
        elif isinstance(item, Message) and all(isinstance(part, str) for part in (item.text, item.lang or "", item.role or "")):
            message = item
        elif isinstance(item, Message):
            message = Message.from_dict({name: getattr(item, name) for name in ("id", "text", "lang", "role")}, id=str(number))
        elif isinstance(item, Mapping):
            message = Message.from_dict(item, id=str(number))
        else:
            detail = f"the message is of type {type(item).__name__}; expected a text, a row or a Message"
            message = Message(id=str(number), text="", problem=Problem(reason="not_text", detail=detail))
        if message.problem is not None:
            return message
        if len(message.text) > MAX_RAW_CHARACTERS:
            return _over_limit(message)
        if not isinstance(item, Message) and ("<" in message.text or "&" in message.text):
            from reclamo.mail.cells import plain_message  # here: what reads mail takes a tenth of a second to import

            message = plain_message(message)
            if message.problem is not None:
                return message
        return self._check(replace(message, text=clean_text(message.text)))

    def _check(self, message: Message) -> Message:
        """Find the language and whatever keeps the message from being scored."""
        if len(message.text) > MAX_CHARACTERS:
            return _over_limit(message)
        if not message.text:
            return replace(message, problem=Problem(reason="empty", detail="the message has no text of its own"))
        roles = self._known_roles()
        role = message.role
        if role is not None and roles:
            role = plain_role(role, roles)
            if role is None:
                detail = f"role is {message.role!r}; expected {' or '.join(roles)}, or none"
                return replace(message, problem=Problem(reason="broken", detail=detail))
        said = plain_language(message.lang, self.taxonomy.languages)
        lang = said or detect_language(message.text, self.taxonomy.languages)
        if lang is not None and lang not in self.taxonomy.languages:
            seen = f"the row says that the language is {message.lang!r}" if said else f"the language looks like {lang!r}"
            detail = f"{seen}; this tagger reads {', '.join(self.taxonomy.languages)}"
            return replace(message, role=role, lang=lang, problem=Problem(reason="unsupported_language", detail=detail))
        return replace(message, role=role, lang=lang)

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

    def _begin(self, units: list[Unit], session: Session, *, contributions: bool | None = None) -> list[_Batch]:
        """Have the network begin on units, in batches by tokens; contributions as the options say, or as asked."""
        groups = batches_by_tokens([len(unit.ids) for unit in units], TOKENS_PER_BATCH)[::-1]  # the longest first: all end together
        padded = [pad_batch([units[i] for i in group], self._units.pad) for group in groups]
        running = session.submit(padded, contributions=self.options.evidence if contributions is None else contributions)
        return list(zip(groups, running, strict=True))

    def _finish(self, chunk: _Chunk, batches: list[_Batch]) -> Iterator[Tags]:
        """Decode the messages of each batch as it comes, once all their windows are there; give tags in the messages' order."""
        done = {index: self._unscored(message) for index, message in enumerate(chunk.messages) if message.problem is not None}
        missing = Counter(unit.message for unit in chunk.units)
        parts: dict[int, list[tuple[int, Scored]]] = {}
        for group, wait in batches:
            ready = []
            for index, scored in zip(group, self._score([chunk.units[index] for index in group], wait()), strict=True):
                message = scored.unit.message
                parts.setdefault(message, []).append((index, scored))
                if len(parts[message]) == missing[message]:
                    ready.append(message)
            windows = [[scored for _, scored in sorted(parts.pop(message), key=itemgetter(0))] for message in ready]
            places = [chunk.good[message] for message in ready]
            done.update(zip(places, self._decode([chunk.messages[place] for place in places], windows), strict=True))
        yield from (done[index] for index in range(len(chunk.messages)))

    def _decode(self, messages: list[Message], windows: list[list[Scored]]) -> Iterator[Tags]:
        """Tags of messages whose windows are scored."""
        pooled = [pool_windows(self.taxonomy, [one.logits for one in mine], [one.unit for one in mine]) for mine in windows]
        logits = np.stack(pooled) if pooled else np.zeros((0, self.taxonomy.n_logits), np.float32)
        decoded = self._decoder.decode(logits, [{"role": message.role} for message in messages])
        return map(self._tags, messages, decoded, windows)

    def units(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Unit]:
        """Cut cleaned texts into what the network reads; offsets count in the texts as typed, Greeklish too."""
        readings = [self.reading(text, langs[index] if langs else None) for index, text in enumerate(texts)]
        return [_typed_offsets(unit, readings[unit.message][1]) for unit in self._units.units([text for text, _ in readings])]

    def run(self, units: list[Unit], *, want_contributions: bool) -> list[Scored]:
        """Score units, in their order."""
        found: dict[int, Scored] = {}
        with self._runtime.session() as session:
            for group, wait in self._begin(units, session, contributions=want_contributions):
                found.update(zip(group, self._score([units[index] for index in group], wait()), strict=True))
        return [found[index] for index in range(len(units))]

    def _score(self, units: list[Unit], scores: Scores) -> Iterator[Scored]:
        """Put together what the network gave of a batch and what the n-grams of its units give."""
        logits, contributions = scores
        linear = self._linear
        features = linear.features([unit.text for unit in units]) if linear else None
        if linear and features:
            logits = logits * linear.network_scale + linear.logits(features)
        for line, unit in enumerate(units):
            yield Scored(
                unit=unit,
                logits=logits[line],
                network=None if contributions is None else contributions[line, :, : len(unit.ids)],
                ngrams=Counted(linear=linear, features=features, place=line) if linear and features else None,
            )

    def add_ngrams(self, units: list[Unit], logits: Array) -> Array:
        """Add to the network's logits (units, n_logits) what the n-grams give."""
        return np.stack([one.logits for one in self._score(units, (logits, None))])

    def _tags(self, message: Message, decoded: Decoded, windows: list[Scored]) -> Tags:
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
            evidence=self._evidence(message.text, decoded, windows) if self.options.evidence else {},
            needs_review=decoded.certainty < self._margin,
            windows=len(windows),
            text=message.text,
            cleaning=message.cleaning,
            model=self.name,
        )

    def _evidence(self, text: str, decoded: Decoded, windows: list[Scored]) -> dict[str, list[Evidence]]:
        wanted = [(key, weights) for key, weights in self._directions.of(decoded.heads) if key != "role"]
        if not wanted:
            return {}
        weights = np.stack([direction for _, direction in wanted], axis=1)
        offsets = np.concatenate([one.unit.offsets for one in windows])
        spans, sums = word_contributions(text, offsets, np.concatenate([one.contributions(weights) for one in windows]))
        return {key: evidence for (key, _), evidence in zip(wanted, pick_spans(spans, sums), strict=True) if evidence}

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


# What helpdesks call the two sides of a conversation: Zendesk (end-user, agent, admin), Intercom (user, lead, admin), Freshdesk (contact).
ROLE_NAMES: Final = {  # case-folded: Greek has no final sigma then
    **dict.fromkeys(
        ("client", "cliente", "consumer", "contact", "end-user", "end user", "lead", "requester", "user", "usuario", "utente", "πελάτησ"),
        "customer",
    ),
    **dict.fromkeys(
        ("admin", "agente", "asesor", "employee", "operador", "operator", "operatore", "staff", "support", "εκπρόσωποσ", "υπάλληλοσ"),
        "agent",
    ),
}


def plain_role(role: str, known: Collection[str]) -> str | None:
    """The one of the known roles that is meant; None where it is none. Examples: " AGENT " -> "agent", "End_User" -> "customer"."""
    word = role.strip().casefold().replace("_", "-")
    found = next((name for name in known if name.casefold() == role.strip().casefold()), None)
    return found or (ROLE_NAMES[word] if ROLE_NAMES.get(word) in known else None)


def _over_limit(message: Message) -> Message:
    detail = f"the text is over {MAX_CHARACTERS} characters; split it"
    return replace(message, text="", problem=Problem(reason="over_limit", detail=detail))


def _typed_offsets(unit: Unit, reading: Transliterated | None) -> Unit:
    return unit if reading is None else replace(unit, offsets=reading.map_offsets(unit.offsets))


def _margin(artefact: Artefact, options: Options) -> float:
    calibration = artefact.manifest.calibration
    wanted = options.max_risk is not None or options.review_rate is not None
    if wanted and all(head.kind == "any_of" for head in artefact.taxonomy.heads):
        log.warning("no head of this taxonomy chooses one label, so there is no certainty to go by: no message is marked for review")
    if options.max_risk is not None:
        fits = [cut for cut, _, risk in calibration.risk_coverage if risk <= options.max_risk]
        if not fits:
            reached = min((risk for _, _, risk in calibration.risk_coverage), default=1.0)
            log.warning(
                "an error rate of %g is not reached even among the surest validation messages (%g): all are marked for review",
                options.max_risk,
                reached,
            )
        return fits[0] if fits else 1.01
    if options.review_rate is not None:
        fits = [cut for cut, share, _ in calibration.risk_coverage if share <= options.review_rate + 1e-9]
        if options.review_rate == 1:
            return 1.01  # all, also what is as sure as can be
        return fits[-1] if fits else 0.0
    return calibration.review_margin


class LoadOptions(TypedDict, total=False):
    """The fields of `Options`, as keywords."""

    threads: int | None
    precision: str
    evidence: bool
    review_rate: float | None
    max_risk: float | None
    cache: Path | None
    ngrams: bool


def load(path: str | Path | None = None, **options: Unpack[LoadOptions]) -> Tagger:
    """Load a tagger: `reclamo-small` by default, `reclamo-tiny`, or that of a folder.

    Args:
        options: the fields of `reclamo.engine.tagger.Options`.

    Raises:
        ArtefactError: the artefact is missing, altered or broken.
    """
    return Tagger(open_artefact(path if path is not None else bundled_artefact()), Options(**options))

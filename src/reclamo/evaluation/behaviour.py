"""Behavioural tests in the sense of CheckList (Ribeiro et al., 2020): minimum functionality, invariance, direction.

The cases are data, `behaviour.toml`. A case that names a head or label which the taxonomy lacks is left out.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from reclamo.corpus import Example
from reclamo.engine.decode import Decoder
from reclamo.errors import UsageError
from reclamo.evaluation.compare import System
from reclamo.evaluation.perturb import CHANGES
from reclamo.evaluation.schema import BehaviourScore
from reclamo.mail import clean_body
from reclamo.tags import HeadTag
from reclamo.taxonomy import Taxonomy
from reclamo.text import clean_text

BUNDLED: Final = Path(__file__).with_name("behaviour.toml")
TOLERANCE: Final = 0.2  # the largest change of a probability that counts as none
STEP: Final = 0.02  # the least change of a probability that counts as a move; a move towards certainty cannot be large
CERTAIN: Final = 0.95
Kind = Literal["functionality", "invariance", "direction"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One test.

    Attributes:
        text, changed: the message, and for invariance and direction what it became.
        expect: for functionality: head -> value that must come out; for any-of heads labels that must be among it,
            with a leading ! for those that must not.
        mailed: whether the changed message is a mail, of which only what the writer wrote is tagged.
        head, label, moves: for direction: whose probability moves `up` or `down`.
    """

    kind: Kind
    capability: str
    language: str
    role: str
    text: str
    changed: str | None = None
    mailed: bool = False
    expect: Mapping[str, Any] | None = None
    head: str = ""
    label: str = ""
    moves: str = ""


def load_cases(taxonomy: Taxonomy, path: str | Path = BUNDLED) -> list[Case]:
    """Read the cases and make the programmatic invariance ones of every functionality text.

    Raises:
        UsageError: the file is missing or breaks the form.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        written = [
            case for kind in ("functionality", "direction", "invariance") for table in data.get(kind, ()) for case in _read(kind, table)
        ]
        added, mailed = data.get("added", {}), data.get("mailed", {})
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"is no file of behavioural cases ({error})", path=path) from error
    fitting = [case for case in written if case.language in taxonomy.languages and _fits(case, taxonomy)]
    return [*fitting, *_changed(fitting, added), *_mailed(fitting, mailed)]


def _read(kind: str, table: Mapping[str, Any]) -> Iterator[Case]:
    fields = {name: table[name] for name in ("capability", "role", "expect", "head", "label", "moves") if name in table}
    for language, texts in table["texts"].items():
        for text in texts:
            first, second = (text, None) if isinstance(text, str) else text
            yield Case(kind=kind, language=language, text=first, changed=second, **fields)  # type: ignore[arg-type]


def _fits(case: Case, taxonomy: Taxonomy) -> bool:
    roles = taxonomy.by_name["role"].names if "role" in taxonomy.by_name else ()
    wanted = {case.head: case.label or None} if case.head else dict(case.expect or {})
    return case.role in roles and all(_knows(taxonomy, head, value) for head, value in wanted.items())


def _knows(taxonomy: Taxonomy, head: str, value: Any) -> bool:
    if head not in taxonomy.by_name:
        return False
    names = taxonomy.by_name[head].names
    labels = value if isinstance(value, list) else [] if value is None or isinstance(value, bool) else [value]
    return all(label.removeprefix("!") in names for label in labels)


Additions = Mapping[str, Mapping[str, Mapping[str, str]]]  # capability -> language -> what stands before and after


def _changed(cases: Sequence[Case], added: Additions) -> Iterator[Case]:
    """Change every functionality text in every way; greetings and signatures are added to customers' messages only."""
    for case in cases:
        if case.kind != "functionality":
            continue
        for name, change in CHANGES.items():
            yield _variant(case, name, change(case.text, case.language, random.Random(case.text)))
        yield from _added(case, added)


def _mailed(cases: Sequence[Case], mailed: Additions) -> Iterator[Case]:
    """Send every customer's message as a mail, with what mail programs put around it."""
    for case in cases:
        if case.kind == "functionality":
            yield from (replace(one, mailed=True) for one in _added(case, mailed))


def _added(case: Case, added: Additions) -> Iterator[Case]:
    for name, by_language in added.items():
        extra = by_language.get(case.language)
        if extra and case.role == "customer":
            yield _variant(case, name, extra.get("before", "") + case.text + extra.get("after", ""))


def _variant(case: Case, capability: str, text: str) -> Case:
    return replace(case, kind="invariance", capability=capability, expect=None, changed=text)


def behaviour_scores(system: System, cases: Sequence[Case], taxonomy: Taxonomy) -> list[BehaviourScore]:
    """Run all cases on one system and count by kind, capability and language."""
    if not cases:
        return []
    results: dict[tuple[Kind, str, str], list[tuple[bool, float]]] = {}
    for case, outcome in zip(cases, run_cases(system, cases, taxonomy), strict=True):
        results.setdefault((case.kind, case.capability, case.language), []).append(outcome)
    return [
        BehaviourScore(
            system=system.name,
            kind=kind,
            capability=capability,
            language=language,
            cases=len(outcomes),
            passed=sum(passed for passed, _ in outcomes),
            mean_shift=None if kind == "functionality" else round(float(np.mean([shift for _, shift in outcomes])), 4),
        )
        for (kind, capability, language), outcomes in sorted(results.items())
    ]


def run_cases(system: System, cases: Sequence[Case], taxonomy: Taxonomy) -> list[tuple[bool, float]]:
    """Say of each case whether it was passed, and by how much a probability moved."""
    before = _decode(system, taxonomy, cases, [clean_text(case.text) for case in cases])
    after = _decode(system, taxonomy, cases, [_after(case) for case in cases])
    return [judge(case, one, two) for case, one, two in zip(cases, before, after, strict=True)]


Heads = Mapping[str, HeadTag | None]


def _after(case: Case) -> str:
    """The changed message as it is tagged: cleaned like every message, and like every mail where it is one."""
    return clean_body(case.changed or "").text if case.mailed else clean_text(case.changed or case.text)


def _decode(system: System, taxonomy: Taxonomy, cases: Sequence[Case], texts: Sequence[str]) -> list[Heads]:
    """Decode cleaned texts; one that many cases share is scored once."""
    keys = [(case.language, text) for case, text in zip(cases, texts, strict=True)]
    rows = {key: row for row, key in enumerate(dict.fromkeys(keys))}
    examples = [Example(id=str(row), text=text, lang=language, labels={}) for (language, text), row in rows.items()]
    given: list[dict[str, str | None]] = [{"role": case.role} for case in cases]
    logits = system.predictor.logits(examples)[[rows[key] for key in keys]]
    return [one.heads for one in Decoder(taxonomy, system.calibration).decode(logits, given)]


def judge(case: Case, before: Heads, after: Heads) -> tuple[bool, float]:
    """Judge one case by the heads of its text and of the changed one.

    Functionality: every expected value comes out. Invariance: no probability moves by more than 0.2. Direction: the
    probability moves the right way, or is certain already.
    """
    if case.kind == "functionality":
        return all(_holds(before.get(head), value) for head, value in (case.expect or {}).items()), 0.0
    if case.kind == "invariance":
        shift = _largest_shift(before, after)
        return shift <= TOLERANCE, shift
    one, two = _probability(before.get(case.head), case.label), _probability(after.get(case.head), case.label)
    sign = 1.0 if case.moves == "up" else -1.0
    goal = two if case.moves == "up" else 1.0 - two
    return sign * (two - one) >= STEP or goal >= CERTAIN, sign * (two - one)


def _holds(tag: HeadTag | None, value: Any) -> bool:
    if tag is None:
        return False
    if isinstance(tag.value, list):
        return all((label.removeprefix("!") in tag.value) != label.startswith("!") for label in value)
    return tag.value in value if isinstance(value, list) else tag.value == value


def _largest_shift(before: Heads, after: Heads) -> float:
    shifts = [0.0]
    for name, tag in before.items():
        other = after.get(name)
        if name == "role" or tag is None or other is None:
            continue
        pairs = zip(_values(tag), _values(other), strict=True)
        shifts += [abs(one - two) for one, two in pairs]
    return max(shifts)


def _values(tag: HeadTag) -> list[float]:
    return list(tag.p.values()) if isinstance(tag.p, dict) else [tag.p]


def _probability(tag: HeadTag | None, label: str) -> float:
    """The probability of a label; of a head that was not asked, nothing."""
    if tag is None:
        return 0.0
    return tag.p.get(label, 0.0) if isinstance(tag.p, dict) else tag.p

"""The label schema as frozen values, and its reader."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from reclamo.errors import TaxonomyError

HeadKind = Literal["one_of", "yes_no", "any_of", "ordered"]
BUNDLED = Path(__file__).with_name("taxonomy.toml")
DESCRIPTION_LANGUAGES = ("en", "es", "el", "it")
HEAD_NAME = re.compile(r"[\w-]+")
PLAIN_LANGUAGE = re.compile(r"[a-z]{2,3}")  # as messages' languages are compared: without region or script
# Of a row of output beside the heads (`source` in SQLite); `reason` is not among them, since unscored rows alone have it as a field.
ROW_FIELDS = {"id", "lang", "status", "heads", "role_p", "rubric_score", "service_level", "evidence", "needs_review", "windows"}
ROW_FIELDS |= {"unscored_reason", "detail", "text", "cleaning", "model", "source"}


@dataclass(frozen=True, kw_only=True)
class Label:
    """A value of a head: its name and one-line descriptions by language code."""

    name: str
    descriptions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Head:
    """One question asked of a message.

    `asked_of` holds the (head, value) conditions under which it is asked; `requires` names the yes/no head that is
    yes exactly when this one is above nothing. `n_logits` is what the network gives: one for each label, except one
    fewer for an ordered head (cumulative logits).
    """

    name: str
    kind: HeadKind
    labels: tuple[Label, ...]
    asked_of: tuple[tuple[str, str | bool], ...] = ()
    requires: str | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The label names in order."""
        return tuple(label.name for label in self.labels)

    @property
    def n_logits(self) -> int:
        """How many numbers the network gives for this head."""
        return len(self.labels) - 1 if self.kind == "ordered" else len(self.labels)

    @property
    def exclusive(self) -> bool:
        """True where exactly one label holds (one_of, ordered)."""
        return self.kind in ("one_of", "ordered")


@dataclass(frozen=True, kw_only=True)
class ServiceRule:
    """One line of the service-level rule; the first that holds gives the level."""

    value: str
    any: tuple[str, ...] = ()
    at_least: int = 0
    of: tuple[str, ...] = ()

    def holds(self, present: frozenset[str]) -> bool:
        """Say whether the rule holds for the traits that are present."""
        return (not self.any or bool(present & set(self.any))) and len(present & set(self.of)) >= self.at_least


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """A whole label schema. Build it with `load_taxonomy` or `parse_taxonomy`."""

    version: int
    name: str
    languages: tuple[str, ...]
    heads: tuple[Head, ...]
    rubric_head: str | None
    rubric_weights: Mapping[str, float]
    service_rules: tuple[ServiceRule, ...]
    source: str

    @cached_property
    def sha256(self) -> str:
        """Hash of the TOML text."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @cached_property
    def by_name(self) -> Mapping[str, Head]:
        """The heads by name."""
        return {head.name: head for head in self.heads}

    @property
    def n_logits(self) -> int:
        """The width of the network's output."""
        return sum(head.n_logits for head in self.heads)

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """Where each head's logits lie in the network's output. Example: {"role": slice(0, 2), …}."""
        found: dict[str, slice] = {}
        start = 0
        for head in self.heads:
            found[head.name] = slice(start, start + head.n_logits)
            start += head.n_logits
        return found

    def asked(self, head: Head, values: Mapping[str, Any]) -> bool:
        """Say whether `head` is asked of a message with these head values; an unknown condition counts as met."""
        return all(name not in values or values[name] is None or values[name] == wanted for name, wanted in head.asked_of)


def load_taxonomy(path: str | Path | None = None) -> Taxonomy:
    """Read a taxonomy file; the bundled one by default.

    Raises:
        TaxonomyError: the file is missing, is not TOML, or breaks a rule of the form.
    """
    if path is None:
        return _bundled()
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise TaxonomyError(f"cannot be read ({error.strerror}); give the path of a taxonomy TOML file", path=file) from error
    except UnicodeDecodeError as error:
        raise TaxonomyError("is not UTF-8; save it as UTF-8", path=file) from error
    return parse_taxonomy(text, where=str(file))


@lru_cache(maxsize=1)
def _bundled() -> Taxonomy:
    return parse_taxonomy(BUNDLED.read_text(encoding="utf-8"), where=str(BUNDLED))


def parse_taxonomy(text: str, *, where: str = "taxonomy") -> Taxonomy:
    """Read taxonomy TOML from a string; `where` names it in errors.

    Raises:
        TaxonomyError: the text is not TOML or breaks a rule of the form.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TaxonomyError(f"is not valid TOML: {error}", path=where) from error
    reader = _Reader(where, text)
    reader.keys(data, {"version", "name", "languages", "head", "rubric", "service_level"}, "the file")
    if data.get("version") != 1:
        raise reader.error(f"version is {data.get('version')!r}; expected 1", "version")
    heads = tuple(reader.head(raw) for raw in reader.table_list(data, "head"))
    reader.check_heads(heads)
    rubric_head, weights = reader.rubric(data.get("rubric"), heads)
    return Taxonomy(
        version=1,
        name=reader.string(data, "name", "the file"),
        languages=reader.languages(data),
        heads=heads,
        rubric_head=rubric_head,
        rubric_weights=weights,
        service_rules=tuple(reader.rule(raw, rubric_head, heads) for raw in data.get("service_level", [])),
        source=text,
    )


class _Reader:
    """Turns the parsed TOML into values, with errors that name the file and the line."""

    def __init__(self, where: str, text: str) -> None:
        self.where = where
        self.lines = text.splitlines()

    def error(self, message: str, needle: str | None = None) -> TaxonomyError:
        line = next((n for n, text in enumerate(self.lines, 1) if needle and needle in text), None)
        return TaxonomyError(message, path=self.where, line=line)

    def keys(self, table: Mapping[str, Any], allowed: set[str], what: str) -> None:
        for key in table:
            if key not in allowed:
                raise self.error(f"unknown key {key!r} in {what}; allowed: {', '.join(sorted(allowed))}", key)

    def string(self, table: Mapping[str, Any], key: str, what: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(f"{what} needs {key!r}, a string", key)
        return value

    def strings(self, table: Mapping[str, Any], key: str, what: str) -> tuple[str, ...]:
        value = table.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self.error(f"{what} needs {key!r}, a list of strings", key)
        return tuple(value)

    def languages(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        given = self.strings(data, "languages", "the file")
        for tag in given:
            if not PLAIN_LANGUAGE.fullmatch(tag):
                plain = re.split("[-_]", tag.strip().casefold())[0]
                raise self.error(f"languages has {tag!r}; write a code of two or three small letters, such as {plain[:3] or 'es'!r}", tag)
        return given

    def table_list(self, table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        value = table.get(key)
        if not isinstance(value, list) or not value:
            raise self.error(f"the file has no [[{key}]]; add at least one")
        return value

    def head(self, raw: Mapping[str, Any]) -> Head:
        name = self.string(raw, "name", "a [[head]]")
        what = f"head {name!r}"
        if name in ROW_FIELDS or not HEAD_NAME.fullmatch(name):
            why = "is a field of every row" if name in ROW_FIELDS else "has other characters than letters, digits, _ and -"
            raise self.error(f"{what}: the name {why}; give the head another", f'"{name}"')
        self.keys(raw, {"name", "kind", "labels", "asked_of", "requires"}, what)
        kind: Any = raw.get("kind")
        if kind not in get_args(HeadKind):
            raise self.error(f"{what} has kind {kind!r}; expected one of {', '.join(get_args(HeadKind))}", f'"{name}"')
        labels = tuple(self.label(item, what) for item in self.table_list(raw, "labels"))
        names = [label.name for label in labels]
        for label_name in names:
            if names.count(label_name) > 1:
                raise self.error(f"{what} has the label {label_name!r} twice", f'"{label_name}"')
        least = {"yes_no": 1, "any_of": 1, "one_of": 2, "ordered": 2}[kind]
        if len(names) < least or (kind == "yes_no" and len(names) != 1):
            expected = f"{least}{'' if kind == 'yes_no' else ' or more'}"
            raise self.error(f"{what} ({kind}) has {len(names)} label(s); expected {expected}", f'"{name}"')
        asked_of = raw.get("asked_of", {})
        if not isinstance(asked_of, dict):
            raise self.error(f"{what}: asked_of must be a table such as {{ role = 'customer' }}", "asked_of")
        return Head(name=name, kind=kind, labels=labels, asked_of=tuple(asked_of.items()), requires=raw.get("requires"))

    def label(self, raw: Any, what: str) -> Label:
        if not isinstance(raw, dict):
            raise self.error(f"{what}: a label must be a table such as {{ name = 'delay', en = '…' }}")
        self.keys(raw, {"name", *DESCRIPTION_LANGUAGES}, f"a label of {what}")
        name = self.string(raw, "name", f"a label of {what}")
        return Label(name=name, descriptions={lang: raw[lang] for lang in DESCRIPTION_LANGUAGES if lang in raw})

    def check_heads(self, heads: tuple[Head, ...]) -> None:
        known: dict[str, Head] = {}
        for head in heads:
            if head.name in known:
                raise self.error(f"head {head.name!r} stands twice", f'"{head.name}"')
            for condition, value in head.asked_of:
                other = known.get(condition)
                if other is None:
                    raise self.error(f"head {head.name!r} is asked of {condition!r}, which is no earlier head", f'"{head.name}"')
                if other.kind == "any_of":
                    said = f"head {head.name!r} is asked of {condition!r}, which has many labels; only heads with one can be a condition"
                    raise self.error(said, f'"{head.name}"')
                fits = isinstance(value, bool) if other.kind == "yes_no" else value in other.names
                if not fits:
                    seen = f"{condition} = {value!r}"
                    raise self.error(f"head {head.name!r} is asked of {seen}, which {condition!r} cannot be", f'"{head.name}"')
            if head.requires is not None and (head.requires not in known or known[head.requires].kind != "yes_no"):
                raise self.error(f"head {head.name!r} requires {head.requires!r}, which is no earlier yes_no head", f'"{head.name}"')
            known[head.name] = head

    def rubric(self, raw: Any, heads: tuple[Head, ...]) -> tuple[str | None, Mapping[str, float]]:
        if raw is None:
            return None, {}
        self.keys(raw, {"head", "weights"}, "[rubric]")
        head = next((h for h in heads if h.name == raw.get("head")), None)
        if head is None or head.kind != "any_of":
            raise self.error(f"[rubric] names the head {raw.get('head')!r}; expected an any_of head", "[rubric]")
        weights = raw.get("weights")
        if not isinstance(weights, dict):
            raise self.error("[rubric] needs weights, a table of label = number", "[rubric]")
        for label, weight in weights.items():
            if label not in head.names or not isinstance(weight, (int, float)):
                raise self.error(f"[rubric] weight {label} = {weight!r} is no number for a label of {head.name!r}", "weights")
        return head.name, {label: float(weight) for label, weight in weights.items()}

    def rule(self, raw: Mapping[str, Any], rubric_head: str | None, heads: tuple[Head, ...]) -> ServiceRule:
        self.keys(raw, {"value", "any", "at_least", "of"}, "a [[service_level]]")
        head = next((h for h in heads if h.name == rubric_head), None)
        if head is None:
            raise self.error("[[service_level]] needs a [rubric] that names its head", "[[service_level]]")
        for label in [*raw.get("any", []), *raw.get("of", [])]:
            if label not in head.names:
                raise self.error(f"[[service_level]] names {label!r}, which is no label of {head.name!r}", f'"{label}"')
        return ServiceRule(
            value=self.string(raw, "value", "a [[service_level]]"),
            any=tuple(raw.get("any", [])),
            at_least=int(raw.get("at_least", 0)),
            of=tuple(raw.get("of", [])),
        )

"""A small synthetic corpus whose words give the labels, in a schema of every kind of head."""

from __future__ import annotations

import random

import pytest

from reclamo.corpus import Example
from reclamo.taxonomy import Taxonomy, parse_taxonomy

SCHEMA = """
version = 1
name = "small"
languages = ["es"]
[[head]]
name = "role"
kind = "one_of"
labels = [{ name = "customer" }, { name = "agent" }]
[[head]]
name = "topic"
kind = "one_of"
labels = [{ name = "bill" }, { name = "parcel" }, { name = "room" }, { name = "never" }]
[[head]]
name = "angry"
kind = "yes_no"
labels = [{ name = "angry" }]
[[head]]
name = "wants"
kind = "any_of"
labels = [{ name = "money" }, { name = "help" }, { name = "nothing_ever" }]
[[head]]
name = "level"
kind = "ordered"
labels = [{ name = "none" }, { name = "low" }, { name = "high" }]
"""
WORDS = {"bill": "factura recibo", "parcel": "paquete envío", "room": "habitación hotel"}


def synthetic(n: int, seed: int = 3) -> list[Example]:
    """Messages of a few words; each label has a word of its own among noise."""
    rng = random.Random(seed)
    examples = []
    for k in range(n):
        topic = rng.choice(sorted(WORDS))
        agent, angry, level = rng.random() < 0.4, rng.random() < 0.4, rng.choice(("none", "low", "high"))
        wants = [label for label in ("money", "help") if rng.random() < 0.4]
        words = [*rng.sample(["casa", "mesa", "perro", "lluvia", "norte", "lunes", "verde", "azul"], 4), rng.choice(WORDS[topic].split())]
        words += ["estimado"] * agent + ["furioso"] * angry + {"none": [], "low": ["algo"], "high": ["algo", "gravísimo"]}[level]
        words += [{"money": "dinero", "help": "ayuda"}[label] for label in wants]
        rng.shuffle(words)
        labels = {"role": "agent" if agent else "customer", "topic": topic, "angry": angry, "wants": tuple(wants), "level": level}
        examples.append(Example(id=f"m{k}", text=" ".join(words), lang="es", labels=labels, meta={"scenario": f"s{k // 2}"}))
    return examples


@pytest.fixture(scope="session")
def small_taxonomy() -> Taxonomy:
    """One head of every kind."""
    return parse_taxonomy(SCHEMA)


@pytest.fixture(scope="session")
def messages() -> list[Example]:
    """Training messages."""
    return synthetic(160)


@pytest.fixture(scope="session")
def fresh() -> list[Example]:
    """Messages that nothing was fitted on."""
    return synthetic(120, seed=99)


@pytest.fixture(scope="session")
def mislabelled(messages: list[Example]) -> list[Example]:
    """The same messages, each with the labels of another."""
    others = messages[37:] + messages[:37]
    return [Example(id=m.id, text=m.text, lang=m.lang, labels=o.labels, meta=m.meta) for m, o in zip(messages, others, strict=True)]

"""The taxonomy file: what it holds, what is refused, where."""

from __future__ import annotations

import pytest

from reclamo.errors import TaxonomyError
from reclamo.taxonomy import load_taxonomy, parse_taxonomy, rubric_score, service_level
from reclamo.taxonomy.schema import BUNDLED, DESCRIPTION_LANGUAGES

SMALL = """
version = 1
name = "small"
languages = ["es"]
[[head]]
name = "urgent"
kind = "yes_no"
labels = [{ name = "urgent" }]
[[head]]
name = "topics"
kind = "any_of"
requires = "urgent"
asked_of = { urgent = true }
labels = [{ name = "a" }, { name = "b" }]
[rubric]
head = "topics"
weights = { a = 0.8, b = -0.5 }
[[service_level]]
value = "bad"
any = ["b"]
[[service_level]]
value = "fine"
"""


def test_the_bundled_schema_holds_the_heads_and_labels_of_the_guideline() -> None:
    taxonomy = load_taxonomy()
    assert [head.name for head in taxonomy.heads] == [
        "role", "sentiment", "complaint", "grounds", "severity", "churn_risk", "reason", "traits",
    ]  # fmt: skip
    assert [len(head.labels) for head in taxonomy.heads] == [2, 3, 1, 11, 4, 1, 8, 17]
    assert taxonomy.n_logits == 2 + 3 + 1 + 11 + 3 + 1 + 8 + 17
    assert taxonomy.slices["severity"] == slice(17, 20)


def test_every_label_is_described_in_four_languages() -> None:
    for head in load_taxonomy().heads:
        for label in head.labels:
            assert set(label.descriptions) == set(DESCRIPTION_LANGUAGES), (head.name, label.name)


def test_a_small_schema_reads_and_derives() -> None:
    taxonomy = parse_taxonomy(SMALL)
    assert rubric_score(taxonomy, {"a": 0.5, "b": 0.2}) == pytest.approx(30.0)
    assert rubric_score(taxonomy, {"a": 0.0, "b": 1.0}) == 0.0
    assert service_level(taxonomy, ["a", "b"]) == "bad"
    assert service_level(taxonomy, []) == "fine"


@pytest.mark.parametrize(
    ("traits", "level"),
    [
        (["resolution", "compensation", "personal_touch"], "exceptional"),
        (["commitment", "proactive", "personal_touch"], "exceptional"),
        (["resolution", "compensation"], "good"),
        (["compensation", "proactive", "personal_touch"], "good"),
        (["resolution", "compensation", "proactive", "rudeness"], "bad"),
        (["dismissal"], "bad"),
        ([], "good"),
    ],
)
def test_the_service_level_rule(traits: list[str], level: str) -> None:
    assert service_level(load_taxonomy(), traits) == level


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "yes_no"', 'kind = "maybe"', "kind 'maybe'"),
        ('requires = "urgent"', 'requires = "nothing"', "requires 'nothing'"),
        ('name = "small"', 'name = "small"\ncolour = "red"', "unknown key 'colour'"),
        ('{ name = "b" }', '{ name = "a" }', "the label 'a' twice"),
        ("asked_of = { urgent = true }", 'asked_of = { urgent = "yes" }', "which 'urgent' cannot be"),
        ("weights = { a = 0.8", "weights = { z = 0.8", "weight z"),
        ('any = ["b"]', 'any = ["z"]', "names 'z'"),
        ("version = 1", "version = 2", "version is 2"),
        ("[rubric]", "[rubric", "not valid TOML"),
        ('languages = ["es"]', 'languages = ["pt-BR"]', "languages has 'pt-BR'; write a code of two or three small letters, such as 'pt'"),
        ('name = "urgent"', 'name = "status"', "head 'status': the name is a field of every row"),
        ('name = "urgent"', 'name = "delivery.time"', "the name has other characters than letters"),
        ('{ name = "a" }, ', '{ name = "a", fr = "x" }, ', "unknown key 'fr'"),
    ],
)
def test_a_broken_schema_is_refused_with_the_rule(old: str, new: str, says: str) -> None:
    assert old in SMALL
    with pytest.raises(TaxonomyError) as caught:
        parse_taxonomy(SMALL.replace(old, new, 1), where="mine.toml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("mine.toml")


def test_the_error_names_the_line() -> None:
    text = BUNDLED.read_text(encoding="utf-8").replace('name = "severity"', 'name = "severity"\ncolour = 1')
    line = text.splitlines().index("colour = 1") + 1
    with pytest.raises(TaxonomyError) as caught:
        parse_taxonomy(text, where="t.toml")
    assert caught.value.line == line

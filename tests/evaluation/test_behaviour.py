"""Behavioural cases: the data is whole, the changes change what they say, and the judge is right."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from known import calibrated, system

from reclamo.baselines import Array
from reclamo.corpus import Example
from reclamo.errors import UsageError
from reclamo.evaluation.behaviour import Case, behaviour_scores, judge, load_cases, run_cases
from reclamo.evaluation.compare import System
from reclamo.evaluation.perturb import CHANGES, capitals, look_alikes, no_accents, typos, zero_width
from reclamo.mail import clean_body
from reclamo.tags import HeadTag
from reclamo.taxonomy import Taxonomy, parse_taxonomy
from reclamo.text import clean_text

RNG = random.Random(0)
MAILED = {"signature and quoted thread below", "thread below a header block"}


def test_at_least_forty_written_cases_a_language(taxonomy: Taxonomy, lang: str) -> None:
    made = set(CHANGES) | {"added greeting", "added signature", "added handles and link"} | MAILED
    written = [case for case in load_cases(taxonomy) if case.language == lang and case.capability not in made]
    assert len(written) >= 40
    assert Counter(case.kind for case in written)["functionality"] >= 30
    assert len({case.text for case in written}) == len(written)
    assert all(case.changed != case.text for case in written)


def test_every_functionality_text_is_changed_in_every_way(taxonomy: Taxonomy, lang: str) -> None:
    cases = [case for case in load_cases(taxonomy) if case.language == lang]
    texts = [case for case in cases if case.kind == "functionality"]
    for name in CHANGES:
        assert sum(case.capability == name for case in cases) == len(texts)
    customers = sum(case.role == "customer" for case in texts)
    assert sum(case.capability == "added greeting" for case in cases) == customers


def test_mails_carry_a_thread_that_the_cleaning_takes_away(taxonomy: Taxonomy, lang: str) -> None:
    cases = [case for case in load_cases(taxonomy) if case.language == lang]
    mails = [case for case in cases if case.mailed]
    customers = sum(case.kind == "functionality" and case.role == "customer" for case in cases)
    assert Counter(case.capability for case in mails) == dict.fromkeys(MAILED, customers)
    for case in mails:
        assert case.changed is not None
        assert "lumiperla" in case.changed  # the other side's address, which only the thread holds
        assert clean_body(case.changed).text == clean_text(case.text)


def test_a_system_sees_of_a_mail_what_its_writer_wrote(taxonomy: Taxonomy) -> None:
    mails = [case for case in load_cases(taxonomy) if case.mailed]
    seen: list[str] = []

    class Watching:
        name = "watching"

        def logits(self, examples: Sequence[Example]) -> Array:
            seen.extend(example.text for example in examples)
            return np.array([[float(len(example.text))] * taxonomy.n_logits for example in examples], dtype=np.float32)

    watching = System(predictor=Watching(), calibration=calibrated(taxonomy), description="watches")
    assert all(passed and shift == 0 for passed, shift in run_cases(watching, mails, taxonomy))
    assert set(seen) == {clean_text(case.text) for case in mails}
    assert Counter(seen).most_common(1)[0][1] == 2  # once as it was and once as it became
    raw = [replace(case, mailed=False) for case in mails]
    run_cases(watching, raw, taxonomy)
    assert any("lumiperla" in text for text in seen)


def test_cases_that_the_schema_lacks_are_left_out() -> None:
    text = (
        'version = 1\nname = "s"\nlanguages = ["it"]\n[[head]]\nname = "role"\nkind = "one_of"\n'
        'labels = [{ name = "customer" }, { name = "agent" }]\n'
        '[[head]]\nname = "churn_risk"\nkind = "yes_no"\nlabels = [{ name = "churn_risk" }]\n'
    )
    cases = load_cases(parse_taxonomy(text))
    assert cases
    assert {case.language for case in cases} == {"it"}
    assert {case.head for case in cases if case.kind == "direction"} == {"churn_risk"}


def test_changes_by_example() -> None:
    assert no_accents("¿Qué pasó, señora?", "es", RNG) == "¿Que paso, señora?"
    assert no_accents("Δεν ήρθε ο τεχνικός", "el", RNG) == "Δεν ηρθε ο τεχνικος"
    assert capitals("Δεν ήρθε", "el", RNG) == "ΔΕΝ ΗΡΘΕ"
    assert capitals("È già tardi", "it", RNG) == "È GIÀ TARDI"
    changed = look_alikes("no pasa nada", "es", RNG)
    assert changed != "no pasa nada"
    assert changed.startswith("no ")
    assert changed.endswith(" nada")
    assert clean_text(zero_width("llevo tres semanas esperando", "es", RNG)) == "llevo tres semanas esperando"
    one, two = ["el", "técnico", "nunca", "apareció", "ayer"], typos("el técnico nunca apareció ayer", "es", random.Random(3)).split()
    assert sum(a != b for a, b in zip(one, two, strict=True)) == 1
    assert typos("a b", "es", RNG) == "a b"


def tags(**heads: Any) -> dict[str, HeadTag | None]:
    return {name: None if tag is None else HeadTag(value=tag[0], p=tag[1]) for name, tag in heads.items()}


def case(**fields: Any) -> Case:
    return Case(**({"kind": "functionality", "capability": "c", "language": "es", "role": "agent", "text": "x"} | fields))


def test_judging_functionality() -> None:
    heads = tags(complaint=(True, 0.9), sentiment=("neutral", {"neutral": 0.6}), traits=(["apology"], {"apology": 0.8}), reason=None)
    assert judge(case(expect={"complaint": True, "sentiment": ["neutral", "positive"]}), heads, heads)[0]
    assert judge(case(expect={"traits": ["apology", "!thanks"]}), heads, heads)[0]
    assert not judge(case(expect={"traits": ["!apology"]}), heads, heads)[0]
    assert not judge(case(expect={"traits": ["thanks"]}), heads, heads)[0]
    assert not judge(case(expect={"reason": "billing"}), heads, heads)[0]


def test_judging_invariance_by_the_largest_change() -> None:
    one = tags(role=("agent", {"agent": 1.0}), complaint=(True, 0.9), sentiment=("neutral", {"neutral": 0.6, "negative": 0.4}))
    near = tags(role=("agent", {"agent": 0.1}), complaint=(True, 0.8), sentiment=("neutral", {"neutral": 0.5, "negative": 0.5}))
    far = tags(role=("agent", {"agent": 1.0}), complaint=(True, 0.9), sentiment=("negative", {"neutral": 0.3, "negative": 0.7}))
    assert judge(case(kind="invariance"), one, near) == (True, pytest.approx(0.1))
    assert judge(case(kind="invariance"), one, far) == (False, pytest.approx(0.3))


@pytest.mark.parametrize(
    ("moves", "before", "after", "passed"),
    [("up", 0.2, 0.5, True), ("up", 0.5, 0.2, False), ("down", 0.5, 0.2, True), ("up", 0.97, 0.96, True), ("up", 0.5, 0.505, False)],
)
def test_judging_direction(moves: str, before: float, after: float, passed: bool) -> None:
    one, two = tags(complaint=(True, before)), tags(complaint=(True, after))
    assert judge(case(kind="direction", head="complaint", moves=moves), one, two)[0] is passed


def test_a_system_that_ignores_the_text_passes_all_invariance_and_no_direction(taxonomy: Taxonomy) -> None:
    deaf = system("deaf", 0.0, taxonomy)  # scores labels, of which the cases have none: the same for every text
    cases = load_cases(taxonomy)
    results = run_cases(deaf, cases, taxonomy)
    assert all(passed and shift == 0 for c, (passed, shift) in zip(cases, results, strict=True) if c.kind == "invariance")
    scores = behaviour_scores(deaf, cases, taxonomy)
    assert sum(score.cases for score in scores) == len(cases)
    assert sum(score.passed for score in scores if score.kind == "direction" and "lowers" not in score.capability) == 0


def test_a_broken_file_is_named(taxonomy: Taxonomy, tmp_path: Path) -> None:
    (tmp_path / "cases.toml").write_text("[[functionality]]\ncapability = 'x'\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"cases\.toml"):
        load_cases(taxonomy, tmp_path / "cases.toml")

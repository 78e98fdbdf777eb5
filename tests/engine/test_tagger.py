"""The tagger: one row for each message, in order, the same alone and in a batch, and nothing lost."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from tests.conftest import SENTENCES

import reclamo
from reclamo import Message, Tags
from reclamo.engine.runtime import Requests
from reclamo.engine.tagger import CHUNK, MAX_CHARACTERS, ROLE_NAMES, LoadOptions, Options, Tagger, load, plain_language, plain_role
from reclamo.errors import UsageError
from reclamo.message import Cleaning, Problem, RemovedSpan

ALL = [sentence for group in SENTENCES.values() for sentence in group]


@pytest.fixture(scope="module")
def tagger(tiny_tagger: Path) -> Tagger:
    return load(tiny_tagger, precision="fp32", threads=1)


def numbers(tags: Tags) -> list[float]:
    found: list[float] = []
    for tag in tags.heads.values():
        if tag is not None:
            found += list(tag.p.values()) if isinstance(tag.p, dict) else [tag.p]
    return found


def test_the_export_gives_what_torch_gives(tiny_base: Path, tiny_tagger: Path) -> None:
    import torch

    from reclamo.artefact import open_artefact
    from reclamo.model.base import load_base
    from reclamo.model.network import TaggerNetwork
    from reclamo.training.export import ParityError, parity, require_parity

    artefact = open_artefact(tiny_tagger)
    network = TaggerNetwork(load_base(tiny_base)[0], artefact.taxonomy.n_logits)
    torch.manual_seed(9)
    network = TaggerNetwork(load_base(tiny_base)[0], artefact.taxonomy.n_logits)
    torch.nn.init.normal_(network.attention.weight, std=0.5)
    torch.nn.init.normal_(network.attention.query, std=0.5)
    require_parity(parity(network, artefact, ALL, precision="fp32"))
    torch.nn.init.normal_(network.attention.weight, std=0.5)
    with pytest.raises(ParityError, match="do not ship it"):
        require_parity(parity(network, artefact, ALL, precision="fp32"))


def test_alone_and_in_any_batch_the_answer_is_the_same(tagger: Tagger) -> None:
    together = list(tagger.tag_many(ALL * 3))
    for text, tags in zip(ALL * 3, together, strict=True):
        alone = tagger.tag(text)
        assert [t and t.value for t in alone.heads.values()] == [t and t.value for t in tags.heads.values()]
        assert np.allclose(numbers(alone), numbers(tags), atol=2e-4)


def test_order_is_kept_over_chunks_and_bad_rows_do_not_touch_their_neighbours(tagger: Tagger) -> None:
    rows: list[Any] = []
    for number in range(CHUNK + 40):
        if number % 7 == 3:
            rows.append({"id": f"m{number}", "text": [None, "", 5, " \u200b\n"][number % 4]})
        else:
            rows.append({"id": f"m{number}", "text": ALL[number % len(ALL)]})
    tags = list(tagger.tag_many(rows))
    assert [t.id for t in tags] == [row["id"] for row in rows]
    good = {text: tagger.tag(text) for text in ALL}
    for row, t in zip(rows, tags, strict=True):
        if isinstance(row["text"], str) and row["text"].strip(" \u200b\n"):
            assert np.allclose(numbers(t), numbers(good[row["text"]]), atol=2e-4)
        else:
            assert t.status == "unscored"
            assert t.unscored_reason in ("empty", "not_text")
            assert t.detail
            assert not any(t.heads.values())


def test_it_is_lazy(tagger: Tagger) -> None:
    taken = []

    def endless() -> Any:
        for number in itertools.count():
            taken.append(number)
            yield ALL[number % len(ALL)]

    stream = tagger.tag_many(endless())
    for _ in range(3):
        next(stream)
    assert len(taken) == 2 * CHUNK


def test_a_given_role_is_obeyed_and_an_unknown_one_refused(tagger: Tagger) -> None:
    as_agent, as_customer, wrong = tagger.tag_many([{"text": ALL[0], "role": role} for role in ("agent", "customer", "boss")])
    assert as_agent.heads["traits"] is not None
    assert as_agent.heads["complaint"] is None
    assert as_agent.rubric_score is not None
    assert as_customer.heads["complaint"] is not None
    assert as_customer.heads["traits"] is None
    assert as_customer.rubric_score is None
    assert wrong.unscored_reason == "broken"


def test_languages_and_roles_are_read_as_people_write_them(tagger: Tagger) -> None:
    told = ("ES", "es-MX", " es_AR ", "es-419", "Spanish", "Español (Latinoamérica)", "spa")
    untold = (float("nan"), "", "und", "klingon", "VIP", "xx")  # found by the text
    others = ("pt", "English", "Português (Brasil)")
    *known, code, name, native = tagger.tag_many([{"text": ALL[0], "lang": lang} for lang in (*told, *untold, *others)])
    assert [(t.status, t.lang) for t in known] == [("tagged", "es")] * len(told + untold)
    assert [(t.unscored_reason, t.lang) for t in (code, name, native)] == [("unsupported_language", lang) for lang in ("pt", "en", "pt")]
    assert name.detail is not None and "the row says that the language is 'English'" in name.detail
    customer, agent = tagger.tag_many([{"text": ALL[0], "role": role} for role in ("Customer", " AGENT ")])
    assert (customer.role, agent.role) == ("customer", "agent")
    asked, answered = tagger.tag_many([{"text": ALL[0], "role": role} for role in ("End_User", "ΥΠΆΛΛΗΛΟΣ")])
    assert (asked.role, answered.role) == ("customer", "agent")
    assert (asked.heads["traits"], answered.heads["complaint"]) == (None, None)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("Ελληνικά", "el"),
        ("GR", "el"),
        ("ita", "it"),
        ("it-CH", "it"),
        ("Castellano", "es"),
        ("Español (España)", "es"),
        ("ESPAÑOL (LATINOAMÉRICA)", "es"),
        ("Espan\u0303ol", "es"),
        ("Spanish (Spain)", "es"),
        ("Spanish; Castilian", "es"),
        ("es-419", "es"),
        ("Ελληνικά (Ελλάδα)", "el"),
        ("ΕΛΛΗΝΙΚΑ", "el"),
        ("Greek, Modern (1453-)", "el"),
        ("Italiano [Svizzera]", "it"),
        ("it_IT.UTF-8", "it"),
        ("English (United States)", "en"),
        ("deutsch", "de"),
        ("Українська", "uk"),
        ("eng", "en"),
        ("klingon", None),
        ("sp", None),
        ("(España)", None),
        ("N/A", None),
        (None, None),
        ("na", None),
        ("sw", "sw"),
    ],
)
def test_names_and_longer_codes_of_languages(tag: str | None, code: str | None) -> None:
    assert plain_language(tag) == code


def test_words_for_roles_stand_for_those_that_a_tagger_has() -> None:
    assert {plain_role(word.upper(), ("customer", "agent")) for word in ROLE_NAMES} == {"customer", "agent"}
    assert [plain_role(word, ("customer", "operator")) for word in ("Operator", "admin", "user")] == ["operator", None, "customer"]


def test_a_language_that_a_tagger_has_itself_is_no_name_of_another() -> None:
    assert [plain_language(tag, ("gre", "na")) for tag in ("gre", "NA", "ell")] == ["gre", "na", "el"]


@pytest.mark.parametrize("bad", [None, 7, b"bytes", ["a"], float("nan")])
def test_one_thing_that_is_no_message_costs_no_other_its_tags(tagger: Tagger, bad: Any) -> None:
    first, wrong, last = tagger.tag_many([ALL[0], bad, {"id": float("nan"), "text": ALL[1]}])
    assert (first.status, wrong.unscored_reason, last.status) == ("tagged", "not_text", "tagged")
    assert (wrong.id, last.id) == ("2", "3")
    assert type(bad).__name__ in (wrong.detail or "")
    assert tagger.tag(bad).unscored_reason == "not_text"


@pytest.mark.parametrize("one", ["hola", b"hola", {"text": "hola"}, Message(id="1", text="hola")])
def test_one_message_is_not_taken_for_many(tagger: Tagger, one: Any) -> None:
    with pytest.raises(UsageError, match="call tag"):
        tagger.tag_many(one)


def test_html_is_read_as_text_and_evidence_counts_in_it(tagger: Tagger) -> None:
    cell, seen = f"<p>{ALL[0]}</p><p>&iexcl;{ALL[1]}!</p>", f"{ALL[0]}\n\n¡{ALL[1]}!"
    plain, text, row, message = tagger.tag_many([seen, cell, {"text": cell}, Message(id="4", text=cell)])
    assert (text.text, row.text, message.text) == (seen, seen, cell)
    assert text.evidence == row.evidence == plain.evidence != {}
    assert tagger.tag("No &lt;3 <b>nada</b>").text == "No <3 nada"
    assert tagger.tag("5 < 6 & <3 <ana@correo.es>").text == "5 < 6 & <3 <ana@correo.es>"


def test_a_long_text_is_never_cut_in_silence(tagger: Tagger) -> None:
    spaced = tagger.tag(" " * (MAX_CHARACTERS + 10) + ALL[0])
    assert (spaced.status, spaced.text) == ("tagged", ALL[0])
    for text in ("si\r\n" * (MAX_CHARACTERS // 3 + 1), " " * (4 * MAX_CHARACTERS + 1)):
        assert tagger.tag(text).unscored_reason == "over_limit"


@pytest.mark.parametrize("wrong", [{"precision": "x"}, {"threads": 0}, {"review_rate": 2}, {"max_risk": -0.1}])
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Options(**wrong)


def test_other_languages_are_unscored_not_guessed(tagger: Tagger) -> None:
    portuguese = tagger.tag("O meu pedido ainda não chegou e ninguém me responde, quero o meu dinheiro de volta")
    assert (portuguese.status, portuguese.unscored_reason, portuguese.lang) == ("unscored", "unsupported_language", "pt")
    assert tagger.tag({"text": ALL[0], "lang": "fr"}).unscored_reason == "unsupported_language"
    assert [tagger.tag(SENTENCES[lang][0]).lang for lang in ("es", "el", "it")] == ["es", "el", "it"]
    assert tagger.tag(SENTENCES["el"][3]).lang == "el"


def test_a_long_text_is_read_in_windows_and_the_row_says_so(tagger: Tagger) -> None:
    text = " ".join(ALL[:3]) + "\n" + " ".join(ALL[2:6])
    tags = tagger.tag(text)
    assert tags.windows > 1
    assert tags.to_dict()["windows"] == tags.windows
    units = tagger.units([text])
    assert len(units) == tags.windows
    assert [text[unit.offsets[1, 0] : unit.offsets[-2, 1]] for unit in units] == [unit.text for unit in units]
    assert max(unit.offsets.max() for unit in units) == len(text)  # evidence of every window counts in the whole text


def test_evidence_lies_on_words_of_the_cleaned_text(tagger: Tagger) -> None:
    for text in ALL:
        tags = tagger.tag(text)
        assert tags.text is not None
        for spans in tags.evidence.values():
            assert 0 < sum(span.weight for span in spans) <= 1.001
            for span in spans:
                assert tags.text[span.start : span.end].strip() == tags.text[span.start : span.end] != ""
    assert load(tagger.artefact.path, evidence=False).tag(ALL[0]).evidence == {}


def test_rows_of_the_contract_round_trip(tagger: Tagger) -> None:
    problem = Message(id="x", text="", problem=Problem(reason="over_limit", detail="26 MiB"))
    for item in (ALL[0], {"text": ALL[1], "role": "agent"}, problem):
        tags = tagger.tag(item)
        row = json.loads(json.dumps(tags.to_dict(with_text=True)))
        assert Tags.from_dict(row, tagger.taxonomy) == tags
    row = tagger.tag(ALL[0]).to_dict()
    wanted = {"id", "lang", "role", "status", "sentiment", "complaint", "grounds", "severity", "churn_risk", "reason", "traits",
              "rubric_score", "service_level", "evidence", "needs_review", "model"}  # fmt: skip
    assert wanted <= set(row)
    assert row["model"] == "tiny@1"


def test_what_cleaning_took_round_trips(tagger: Tagger) -> None:
    spans = (
        RemovedSpan(kind="quoted", start=9, end=20, line=2, lines=1),
        RemovedSpan(kind="footer", start=30, end=33, line=4, lines=2, text="pie"),
    )
    for cleaning in (Cleaning(characters=40, removed={"quoted": 11, "footer": 3}, spans=spans, left_out=1), None):
        tags = replace(tagger.tag(ALL[0]), cleaning=cleaning)
        row = json.loads(json.dumps(tags.to_dict(with_text=True)))
        assert Tags.from_dict(row, tagger.taxonomy) == tags


def test_what_type_checkers_know_of_the_options_is_what_there_is() -> None:
    assert get_type_hints(LoadOptions) == get_type_hints(Options)


def test_every_error_of_the_package_is_one_of_its_names() -> None:
    for name in ("UsageError", "SourceError", "SinkError", "TaxonomyError", "CorpusError", "ArtefactError"):
        assert issubclass(getattr(reclamo, name), reclamo.ReclamoError)
    with pytest.raises(AttributeError, match="no attribute 'SauceError'"):
        reclamo.SauceError  # type: ignore[attr-defined]  # noqa: B018


def test_review_rules(tiny_tagger: Path) -> None:
    def reviewed(**options: Any) -> int:
        return sum(tags.needs_review for tags in load(tiny_tagger, **options).tag_many(ALL))

    assert reviewed(review_rate=0.0) == 0
    assert reviewed(review_rate=0.0) <= reviewed(review_rate=0.2) <= reviewed(review_rate=0.5)
    assert reviewed(review_rate=1.0) == len(ALL)
    assert reviewed(max_risk=0.0) == len(ALL)


def test_heads_are_attributes(tagger: Tagger) -> None:
    tags = tagger.tag(ALL[0])
    assert tags.sentiment is tags.heads["sentiment"]
    with pytest.raises(AttributeError, match="no field or head 'mood'"):
        _ = tags.mood


def test_a_failing_batch_fails_the_call_and_not_in_silence(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = itertools.count()
    infer = Requests.__call__

    def broken(requests: Requests, *batch: Any, **options: Any) -> Any:
        if next(batches) == 3:
            raise RuntimeError("taken badly")
        return infer(requests, *batch, **options)

    monkeypatch.setattr(Requests, "__call__", broken)
    with pytest.raises(RuntimeError, match="taken badly"):
        list(tagger.tag_many(ALL * 40))


def test_several_threads_may_ask_one_tagger(tagger: Tagger) -> None:
    alone = {text: numbers(tagger.tag(text)) for text in ALL}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: (text, numbers(tagger.tag(text))), ALL * 10))
    for text, found in answers:
        assert np.allclose(found, alone[text], atol=2e-4)


def test_windows_of_one_message_may_fall_into_several_batches(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [" ".join(ALL[k:] + ALL[:k]) for k in range(4)]
    together = list(tagger.tag_many(texts))
    assert min(tags.windows for tags in together) > 2
    monkeypatch.setattr("reclamo.engine.tagger.TOKENS_PER_BATCH", 1)  # every window is a batch of its own
    for apart, tags in zip(tagger.tag_many(texts), together, strict=True):
        assert apart.windows == tags.windows
        assert np.allclose(numbers(apart), numbers(tags), atol=2e-4)
        assert apart.evidence.keys() == tags.evidence.keys()


def test_a_stream_can_be_left_early_and_a_broken_source_raises(tagger: Tagger) -> None:
    stream = tagger.tag_many(ALL * 100)
    assert next(stream).status == "tagged"
    stream.close()

    def source() -> Any:
        yield from itertools.islice(itertools.cycle(ALL), CHUNK + 3)
        raise OSError("the disk went")

    given = []
    with pytest.raises(OSError, match="the disk went"):
        for tags in tagger.tag_many(source()):
            given.append(tags)
    assert len(given) == CHUNK + 3  # all that it gave


def test_what_is_no_value_in_a_data_frame_and_fields_of_other_types_cost_no_other_message(tagger: Tagger) -> None:
    class Missing:  # as pandas' NA
        def __eq__(self, other: object) -> Any:
            return self

        def __bool__(self) -> bool:
            raise TypeError("boolean value of NA is ambiguous")

        __hash__ = None  # type: ignore[assignment]

    items: list[Any] = [
        ALL[0],
        {"id": Missing(), "text": ALL[0], "role": Missing(), "lang": Missing()},
        {"id": np.array([1, 2]), "text": ALL[0]},
        Message(id="m", text=None),  # type: ignore[arg-type]
        Message(id="n", text=ALL[0], role=5),  # type: ignore[arg-type]
        ALL[1],
    ]
    tagged = list(tagger.tag_many(items))
    assert [tags.id for tags in tagged] == ["1", "2", "3", "m", "n", "6"]
    assert [tags.status for tags in tagged] == ["tagged", "tagged", "tagged", "unscored", "unscored", "tagged"]
    assert [tags.unscored_reason for tags in tagged[3:5]] == ["not_text", "broken"]

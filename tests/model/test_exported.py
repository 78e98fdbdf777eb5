"""The encoder of a finished tagger is a base like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from reclamo.artefact import open_artefact  # noqa: E402
from reclamo.artefact.store import hash_files, write_manifest  # noqa: E402
from reclamo.errors import ArtefactError  # noqa: E402
from reclamo.model.base import load_base  # noqa: E402


def test_a_finished_tagger_gives_its_encoder_and_tokenizer_as_a_base(tiny_base: Path, tiny_tagger: Path, sentences: list[str]) -> None:
    wanted, known = load_base(tiny_base)
    found, tokenizer = load_base(tiny_tagger)
    shape = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "pad_token_id")
    assert {key: getattr(found.config, key) for key in shape} == {key: getattr(wanted.config, key) for key in shape}
    assert found.embeddings.word_embeddings.padding_idx == 1
    assert (tokenizer.pad_token, tokenizer.unk_token, tokenizer.mask_token) == ("<pad>", "<unk>", "<mask>")
    for sentence in sentences:
        ids = known(sentence)["input_ids"][:60]
        assert tokenizer(sentence)["input_ids"][:60] == ids
        batch = torch.tensor([ids])
        with torch.no_grad():
            states, same = (encoder.eval()(batch, attention_mask=torch.ones_like(batch)).last_hidden_state for encoder in (wanted, found))
        assert torch.allclose(states, same, atol=2e-2)  # the export kept 16 bits
        assert float(states.std()) > 0.1


def test_a_tagger_that_computes_in_8_bits_is_no_base(tiny_tagger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reclamo.model.exported.rounds_inputs", lambda operations: True)
    with pytest.raises(ArtefactError, match="computes in 8 bits, for which its weights were scaled"):
        load_base(tiny_tagger)


def test_an_export_without_its_weights_where_they_belong_is_refused(tiny_tagger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    for file in tiny_tagger.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    network = folder / "network.xml"
    text = network.read_text(encoding="utf-8")
    renamed = {"intermediate.dense": "not built as BERT is", ".value/": "weights of"}
    for changed, said in ((text.replace(name, "elsewhere/"), said) for name, said in renamed.items()):
        assert changed != text
        network.write_text(changed, encoding="utf-8")
        artefact = open_artefact(tiny_tagger)
        write_manifest(folder, replace(artefact.manifest, files=hash_files(folder)))
        with pytest.raises(ArtefactError, match=said):
            load_base(folder)

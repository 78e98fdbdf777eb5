"""Shared fixtures: sentences in three languages, a tiny encoder, a tiny trained tagger."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from reclamo.offline import without_telemetry
from tests.artefacts import write_tiny

settings.register_profile("patient", deadline=None)  # what takes long on a busy machine is no failure
settings.load_profile("patient")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes that compute with two threads each would wait for each other
os.environ.setdefault("RECLAMO_CACHE", "off")
with without_telemetry():  # before a test imports it by itself
    import openvino  # noqa: F401
ROOT = Path(__file__).parents[1]

SENTENCES = {
    "es": [
        "Llevo tres semanas esperando el reembolso y nadie contesta.",
        "¿A qué hora abren el sábado en la calle Mayor, 14?",
        "Muchas gracias, Noelia: el técnico fue puntual y muy amable 👏",
        "NO FUNCIONA LA APP, ME COBRARON 35,90 € DOS VECES",
    ],
    "el": [
        "Περιμένω τρεις εβδομάδες την επιστροφή των χρημάτων μου.",
        "ΕΙΜΑΙ ΠΟΛΥ ΔΥΣΑΡΕΣΤΗΜΕΝΟΣ ΜΕ ΤΗΝ ΕΞΥΠΗΡΕΤΗΣΗ",
        "Σας ευχαριστώ θερμά, κυρία Ζαφειρίου — όλα τέλεια!",
        "den exo lavei akoma tipota kai kaneis den apantaei",
    ],
    "it": [
        "Aspetto il rimborso da tre settimane e nessuno risponde.",
        "Scusate, l'ordine n. 4471 è arrivato senza il caricatore.",
        "Perché il pagamento è stato rifiutato? Grazie mille, Ilaria",
        "Gentile cliente, ce ne scusiamo: l'errore è stato nostro.",
    ],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests, whole runs of the documents' commands, come first: last, one process would wait for them."""
    items.sort(key=lambda item: item.path.name not in ("test_readme.py", "test_retrain_tutorial.py"))


@pytest.fixture(params=["es", "el", "it"])
def lang(request: pytest.FixtureRequest) -> str:
    """Each of the three languages in turn."""
    return str(request.param)


@pytest.fixture
def sentences(lang: str) -> list[str]:
    """A few sentences of the language."""
    return SENTENCES[lang]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT with a small unigram tokenizer, saved in Hugging Face form."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator([s for group in SENTENCES.values() for s in group], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    folder = tmp_path_factory.mktemp("tiny-base")
    fast: Any = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_tagger(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact with the bundled schema around the tiny encoder: random heads, exported for real."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("tiny-tagger") / "tagger"
    write_tiny(tiny_base, folder)
    return folder

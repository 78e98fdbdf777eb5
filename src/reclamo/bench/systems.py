"""The systems that are compared: each takes texts and gives the seconds that they took, tokenising included."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from reclamo.bench.machine import multiplies_in_8_bits
from reclamo.bench.work import XLM_R_BASE, NetworkShape, read_shape
from reclamo.engine.runtime import core
from reclamo.engine.tagger import TOKENS_PER_BATCH
from reclamo.engine.tokens import UnitMaker, batches_by_tokens, pad_batch
from reclamo.errors import UsageError

PIPELINE_BATCH: Final = 16
Scorer = Callable[[NDArray[np.int64], NDArray[np.int64]], Any]


class System(Protocol):
    """Something that answers messages."""

    precision: str

    def __call__(self, texts: Sequence[str]) -> int:
        """Answer every text; give how many were answered."""


class Engine:
    """The tagger as shipped, from text to tags."""

    def __init__(self, model: Path, threads: int, *, evidence: bool = True) -> None:
        from reclamo.engine.tagger import load

        self.tagger = load(model, threads=threads, evidence=evidence)
        own = {"f32": "fp32", "bfloat16": "bf16"}.get(self.tagger.precision, self.tagger.precision)
        about = self.tagger.artefact.manifest.precision
        mixed = f"int8 and {own}" if "int8 weights" in about and multiplies_in_8_bits() else own
        self.precision = "int8" if "int8 activations" in about else mixed

    def __call__(self, texts: Sequence[str]) -> int:
        """Tag every text."""
        return sum(1 for _ in self.tagger.tag_many(texts))


class Pipeline:
    """What people use: a Hugging Face pipeline for one task around XLM-R base, in float32, on texts sorted by length.

    The weights are random and the tokenizer is the tagger's: neither changes the speed.
    """

    precision = "fp32"

    def __init__(self, model: Path, threads: int) -> None:
        import torch
        from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForSequenceClassification, pipeline

        torch.set_num_threads(threads)
        config = XLMRobertaConfig(
            vocab_size=XLM_R_BASE.vocabulary, hidden_size=XLM_R_BASE.hidden, max_position_embeddings=XLM_R_BASE.positions,
            type_vocab_size=1, num_labels=3,
        )  # fmt: skip
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(model / "tokenizer.json"), bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
            model_max_length=512,
        )  # fmt: skip
        network = XLMRobertaForSequenceClassification(config).eval()
        self.pipe = pipeline("text-classification", model=network, tokenizer=tokenizer, device="cpu")

    def __call__(self, texts: Sequence[str]) -> int:
        """Classify every text."""
        return len(self.pipe(sorted(texts, key=len), batch_size=PIPELINE_BATCH, truncation=True))


class Network:
    """Our network under some run-time: tokenised and batched as the engine does it, logits and no tags."""

    def __init__(self, model: Path, scorer: Scorer, precision: str) -> None:
        self.units = UnitMaker(model / "tokenizer.json", 512)
        self.scorer = scorer
        self.precision = precision

    def __call__(self, texts: Sequence[str]) -> int:
        """Score every text."""
        units = self.units.units(texts)
        for group in batches_by_tokens([len(unit.ids) for unit in units], TOKENS_PER_BATCH):
            self.scorer(*pad_batch([units[i] for i in group], self.units.pad))
        return len(texts)


def random_network(shape: NetworkShape, attention: str = "sdpa") -> Any:
    """Build our network of a shape in torch, with random weights."""
    import torch
    from transformers import BertConfig, BertModel

    from reclamo.model.network import TaggerNetwork

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, num_hidden_layers=shape.layers, num_attention_heads=shape.attention_heads,
        intermediate_size=shape.ffn, max_position_embeddings=shape.positions, attn_implementation=attention,
    )  # fmt: skip
    return TaggerNetwork(BertModel(config, add_pooling_layer=False), shape.labels).eval()


def torch_network(model: Path, threads: int, precision: str) -> Network:
    """Our network in torch."""
    import torch

    torch.set_num_threads(threads)
    network = random_network(_shape(model))
    if precision == "bf16":
        network.encoder.bfloat16()
        network.attention.float()

    def score(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(ids), torch.from_numpy(mask))

    return Network(model, score, precision)


def openvino_network(model: Path, threads: int, precision: str) -> Network:
    """Our network in OpenVINO with the weights as they were trained, not in 8 bits."""
    from reclamo.training.export import export_network

    with tempfile.TemporaryDirectory() as folder:
        export_network(random_network(_shape(model), "eager"), Path(folder), compress=False)
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        if precision != "auto":
            options["INFERENCE_PRECISION_HINT"] = {"fp32": "f32", "bf16": "bf16"}[precision]
        compiled = core().compile_model(str(Path(folder) / "network.xml"), "CPU", options)
    used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    return Network(model, lambda ids, mask: compiled({"input_ids": ids, "attention_mask": mask}), {"f32": "fp32"}.get(used, used))


def onnx_network(model: Path, threads: int) -> Network:
    """Our network in onnxruntime, float32."""
    import onnxruntime
    import torch

    from reclamo.training.export import Traced

    example = torch.ones(2, 16, dtype=torch.long)
    axes = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "attention_mask")}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter that onnxruntime's own documentation names
        torch.onnx.export(
            Traced(random_network(_shape(model), "eager")), (example, example), f"{folder}/network.onnx", dynamo=False, opset_version=17,
            input_names=list(axes), output_names=["logits", "contributions"], dynamic_axes=axes,
        )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(f"{folder}/network.onnx", options, providers=["CPUExecutionProvider"])
    return Network(model, lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask}), "fp32")


def _shape(model: Path) -> NetworkShape:
    from reclamo.artefact import open_artefact

    return read_shape(model / "network.xml", open_artefact(model).taxonomy.n_logits)


BUILDERS: Final[dict[str, Callable[[Path, int], System]]] = {
    "pipeline": Pipeline,
    "torch fp32": lambda model, threads: torch_network(model, threads, "fp32"),
    "torch bf16": lambda model, threads: torch_network(model, threads, "bf16"),
    "onnxruntime": onnx_network,
    "openvino": lambda model, threads: openvino_network(model, threads, "auto"),
    "engine": Engine,
    "engine, no evidence": lambda model, threads: Engine(model, threads, evidence=False),
}


def available() -> list[str]:
    """Name the systems whose packages are installed."""
    needs = {"pipeline": "transformers", "torch fp32": "torch", "torch bf16": "torch", "openvino": "torch", "onnxruntime": "onnxruntime"}
    found = [name for name in BUILDERS if name not in needs or find_spec(needs[name])]
    return [name for name in found if name != "onnxruntime" or find_spec("onnx")]


def build(name: str, model: Path, threads: int) -> System:
    """Build one system around a tagger.

    Raises:
        UsageError: there is no such system.
    """
    if name not in BUILDERS:
        raise UsageError(f"there is no system {name!r}; expected some of {', '.join(BUILDERS)}")
    return BUILDERS[name](model, threads)

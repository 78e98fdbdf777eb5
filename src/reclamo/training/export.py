"""Export a trained network once, so that it runs without torch."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reclamo.artefact import FORMAT_VERSION, Artefact, Calibration, Manifest, open_artefact
from reclamo.artefact import store as layout
from reclamo.engine.decode import sigmoid
from reclamo.engine.ngrams import LinearPart
from reclamo.engine.scored import pool_all
from reclamo.engine.tagger import Options, Tagger
from reclamo.engine.tokens import UnitMaker
from reclamo.errors import ReclamoError
from reclamo.model.network import TaggerNetwork
from reclamo.offline import without_telemetry
from reclamo.taxonomy import Taxonomy

PARITY_MEAN = 0.02  # 8-bit weights alone move probabilities by about 0.01 on the mean
PARITY_MAX = 0.25
MASKED = -1e4
FLOAT_PARTS = (".*network.attention.*", r".*layer\.\d+\.output\.dense.*")


class ParityError(ReclamoError):
    """The exported network does not give what torch gives."""


class Traced(nn.Module):
    """The network with plain tuple output, for tracing.

    The mask goes into the encoder in its additive four-dimensional form: from a plain one the tracer bakes in whether there
    was padding in the example.
    """

    def __init__(self, network: TaggerNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        hidden = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * MASKED
        states = self.network.encoder(input_ids=input_ids, attention_mask=hidden).last_hidden_state
        logits, contributions = self.network.attention(states, attention_mask)
        return logits, contributions


def export_network(network: TaggerNetwork, target: Path, *, compress: bool = True, samples: Sequence[NDArray[np.int64]] = ()) -> None:
    """Write network.xml and network.bin: traced, converted, its weights in 8 bits per channel (or 16 without `compress`).

    Args:
        samples: token ids of typical texts; where given, most matrix products are computed in 8 bits too (see `quantise`).
    """
    with without_telemetry():
        import openvino

    network.eval().cpu().float()
    mask = torch.ones(2, 16, dtype=torch.long)
    mask[1, 9:] = 0
    example = {"input_ids": torch.ones(2, 16, dtype=torch.long), "attention_mask": mask}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer and the converter warn of what the parity gate measures
        model = openvino.convert_model(Traced(network), example_input=example)
    for port, name in zip(model.inputs, ("input_ids", "attention_mask"), strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_partial_shape(openvino.PartialShape([-1, -1]))
    model.validate_nodes_and_infer_types()
    if samples:
        model = quantise(model, samples)
    if compress:
        with without_telemetry():
            import nncf

        nncf.set_log_level(30)
        model = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)
    openvino.save_model(model, target / layout.NETWORK, compress_to_fp16=True)


def quantise(model: Any, samples: Sequence[NDArray[np.int64]]) -> Any:
    """Let the products of most linear maps be computed in 8 bits, their input ranges taken from sample texts.

    Attention's own products, the heads, and the second map of each feed-forward block stay as they are: the inputs of the last,
    after the GELU, have rare large values that cost the most accuracy where they are cut (SmoothQuant, Xiao et al., 2023).
    """
    with without_telemetry():
        import nncf

    nncf.set_log_level(30)
    feeds = [{"input_ids": ids[None], "attention_mask": np.ones((1, len(ids)), dtype=np.int64)} for ids in samples]
    return nncf.quantize(
        model,
        nncf.Dataset(feeds),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(feeds),
        ignored_scope=nncf.IgnoredScope(patterns=list(FLOAT_PARTS), types=["ScaledDotProductAttention"], validate=False),
    )


def write_artefact(
    target: Path,
    network: TaggerNetwork,
    tokenizer: Any,
    taxonomy: Taxonomy,
    calibration: Calibration,
    about: dict[str, Any],
    *,
    compress: bool = True,
    linear: LinearPart | None = None,
    samples: Sequence[str] = (),
) -> Artefact:
    """Write a whole artefact.

    Args:
        linear: the n-grams beside the network. calibration: of both together, or none yet (`uncalibrated`).
        about: name, base, max_tokens, training (what it was made from).
        samples: typical texts; where given, the network computes in 8 bits.
    """
    layout.clear(target)
    (target / layout.TAXONOMY).write_text(taxonomy.source, encoding="utf-8")
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    backend.save(str(target / layout.TOKENIZER), pretty=False)
    units = UnitMaker(target / layout.TOKENIZER, about["max_tokens"]).units(samples)
    export_network(network, target, compress=compress, samples=[unit.ids for unit in units])
    if linear is not None:
        linear.save(target / layout.NGRAMS)
    manifest = Manifest(
        name=about["name"],
        version=1,
        format=FORMAT_VERSION,
        taxonomy_sha256=taxonomy.sha256,
        base=about["base"],
        max_tokens=about["max_tokens"],
        network="label-wise attention" + (" and n-grams" if linear else ""),
        precision=("int8 weights" if compress else "fp16 weights") + (", int8 activations" if samples else ""),
        files=layout.hash_files(target),
        calibration=calibration,
        training=about["training"],
    )
    layout.write_manifest(target, manifest)
    return open_artefact(target)


def update_manifest(artefact: Artefact, **changes: Any) -> Artefact:
    """Write the manifest anew with some fields changed."""
    layout.write_manifest(artefact.path, replace(artefact.manifest, **changes))
    return open_artefact(artefact.path)


def copy_artefact(source: Path, target: Path) -> None:
    """Copy the files of an artefact into an empty folder."""
    layout.clear(target)
    optional = (name for name in layout.OPTIONAL if (source / name).is_file())
    for name in (*layout.AUDITED, *optional, layout.MANIFEST):
        shutil.copy2(source / name, target / name)


def parity(network: TaggerNetwork, artefact: Artefact, texts: list[str], *, precision: str = "auto") -> dict[str, float]:
    """Compare the engine's network on padded batches with torch float32 on one text at a time.

    Returns:
        `max` and `mean` absolute difference of probabilities (sigmoid of each logit), and `logits`, the mean absolute
        difference of the logits.
    """
    tagger = Tagger(artefact, Options(precision=precision, evidence=False, ngrams=False))
    texts = [tagger.reading(text, None)[0] for text in texts]
    units = UnitMaker(artefact.tokenizer, artefact.manifest.max_tokens).units(texts)
    network.eval().cpu().float()
    want = np.stack([_torch_logits(network, unit.ids) for unit in units])
    pooled = pool_all(artefact.taxonomy, want, units)
    got = tagger.logits(texts)
    gaps = np.abs(sigmoid(pooled) - sigmoid(got))
    return {"max": float(gaps.max()), "mean": float(gaps.mean()), "logits": float(np.abs(pooled - got).mean()), "texts": float(len(texts))}


def _torch_logits(network: TaggerNetwork, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    with torch.no_grad():
        logits, _ = network(torch.from_numpy(ids[None]), torch.ones(1, len(ids), dtype=torch.long))
    return np.asarray(logits.numpy()[0], dtype=np.float32)


def keeps_parity(figures: dict[str, float]) -> bool:
    """Say whether an export's probabilities are near enough to those of torch."""
    return figures["mean"] <= PARITY_MEAN and figures["max"] <= PARITY_MAX


def require_parity(figures: dict[str, float]) -> None:
    """Refuse an export whose probabilities are off.

    Raises:
        ParityError: the mean or the largest difference is over its bound.
    """
    if not keeps_parity(figures):
        raise ParityError(
            f"the exported network differs from torch by {figures['mean']:.4f} on the mean and {figures['max']:.3f} at most; "
            f"expected at most {PARITY_MEAN} and {PARITY_MAX}; do not ship it"
        )

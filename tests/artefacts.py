"""A tagger around an encoder, exported for real; its heads are random."""

from __future__ import annotations

from pathlib import Path


def write_tiny(base: Path, folder: Path, *, compress: bool = False) -> None:
    """Write an artefact of the bundled schema around the encoder of a folder."""
    import torch

    from reclamo.artefact import Calibration, HeadCalibration
    from reclamo.model.base import load_base
    from reclamo.model.network import TaggerNetwork
    from reclamo.taxonomy import load_taxonomy
    from reclamo.training.export import write_artefact

    taxonomy = load_taxonomy()
    encoder, tokenizer = load_base(base)
    torch.manual_seed(9)
    network = TaggerNetwork(encoder, taxonomy.n_logits)
    torch.nn.init.normal_(network.attention.weight, std=0.5)
    torch.nn.init.normal_(network.attention.query, std=0.5)
    heads = {h.name: HeadCalibration(temperature=1.3, thresholds=() if h.exclusive else (0.5,) * len(h.labels)) for h in taxonomy.heads}
    calibration = Calibration(heads=heads, review_margin=0.4, risk_coverage=((0.0, 0.0, 0.3), (0.4, 0.2, 0.1), (0.6, 0.5, 0.02)))
    about = {"name": "tiny", "base": "tiny", "max_tokens": 64, "training": {}}
    write_artefact(folder, network, tokenizer, taxonomy, calibration, about, compress=compress)

"""Train a tagger from labelled messages.

    python train.py --config configs/teacher.toml
    python train.py --config configs/teacher.toml --set optim.epochs=3 --set model.base=xlm-roberta-base

With configs/teacher.toml it takes about 25 minutes on 2 processor cores with bf16 matrix units. It writes checkpoints and logs to the
configured `run` folder (a killed run goes on from there when started again) and the finished tagger to `output`.
"""

from __future__ import annotations

import argparse
import json
import sys

from reclamo.cli.errors import run_guarded


def main() -> None:
    """Parse, configure, train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="training configuration (TOML)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the configuration")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    arguments = parser.parse_args()

    from reclamo.training.config import load_config, parse_overrides
    from reclamo.training.run import run

    artefact = run(load_config(arguments.config, parse_overrides(arguments.set)))
    print(json.dumps({"tagger": str(artefact.path), "parity": artefact.manifest.metrics["parity"]}))


if __name__ == "__main__":
    sys.exit(run_guarded(main))

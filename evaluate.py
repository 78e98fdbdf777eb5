"""Measure a tagger beside the baselines on labelled messages.

    python evaluate.py [--model models/reclamo-small --data data --real real/dev.es.jsonl --output reports]

The rows of `--data` name their split: test is measured, train fits the baselines (also `setfit`, where `--baselines` names it), validation
calibrates them. `--real` files are measured apart and never trained on. Takes about 10 minutes for 900 written and 600 real messages on
2 cores. Prints the table; writes metrics.json, report.md and report.html to `--output`, and the card to the tagger's README.md.
"""

import argparse
import sys
from typing import Any

from reclamo.cli.errors import run_guarded


def main() -> None:
    """Parse, configure, evaluate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="name or folder of the tagger; reclamo-small by default")
    parser.add_argument("--data", nargs="+", default=["data"], help="labelled corpus: files or folders")
    parser.add_argument("--real", nargs="*", default=[], help="labelled files or folders that are measured apart")
    parser.add_argument("--output", default="reports", help="folder of the reports")
    parser.add_argument("--extra-train", nargs="*", help="what else to fit the baselines on; by default what the tagger was")
    parser.add_argument("--baselines", nargs="*", default=["tfidf", "network", "majority", "lexicon", "textcat", "embeddings"])
    parser.add_argument("--base", help="encoder of the embeddings and setfit baselines; by default the tagger's")
    parser.add_argument("--resamples", type=int, default=2000, help="of the bootstrap")
    parser.add_argument("--no-card", dest="card", action="store_false", help="leave the tagger's README.md alone")
    parser.add_argument("--no-faithfulness", dest="faithfulness", action="store_const", const=0, default=75, help="delete no evidence")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in vars(parser.parse_args()).items() if k != "debug"}

    from reclamo.evaluation.report import summary
    from reclamo.evaluation.run import EvaluateConfig, evaluate

    print(summary(evaluate(EvaluateConfig(**given), lambda line: print(line, file=sys.stderr))))


if __name__ == "__main__":
    sys.exit(run_guarded(main))

"""Search for bytes that break the reading of mail, guided by coverage.

    pip install atheris
    python -m tests.fuzz.fuzz_mail FOLDER -max_total_time=600

FOLDER takes the inputs that reach new code; it is filled with the sample messages and the fixtures first. An input that
breaks a promise of `tests.mail.reading` ends the run and is left as `crash-…`: mend the reader, make the input small
(`-minimize_crash=1 -runs=10000 crash-…`) and put it under tests/mail/crashes, which the tests replay.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reclamo.mail", "reclamo.text.unicode", "reclamo.sources.mbox", "olefile"]):
    from tests.mail.reading import check_any

from tests.mail.seeds import seeds

OPTIONS = ("-max_len=16384", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1")


def main() -> None:
    """Fill the folder and search."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m tests.fuzz.fuzz_mail FOLDER [options of libFuzzer]")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (folder / f"seed-{number:04d}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *OPTIONS, *sys.argv[1:]], check_any)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""What a cold `reclamo` imports: counted, never timed."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = (
    "numpy",
    "openvino",
    "tokenizers",
    "spacy",
    "pyarrow",
    "torch",
    "transformers",
    "sklearn",
    "py3langid",
    "selectolax",
    "reclamo.engine",
)
MOST_MODULES = 330


def imported(code: str) -> list[str]:
    """Run code in a fresh interpreter and list the modules that it leaves imported."""
    script = f"import sys, json\n{code}\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8", check=True)
    modules: list[str] = json.loads(done.stderr)
    return modules


def test_help_imports_nothing_heavy() -> None:
    modules = imported("sys.argv = ['reclamo', '--help']\nfrom reclamo.cli.app import main\ntry:\n    main()\nexcept SystemExit:\n    pass")
    assert not [name for name in modules if name.startswith(HEAVY)]
    assert len(modules) < MOST_MODULES
    assert "reclamo.cli.tag" in modules


def test_importing_the_package_imports_almost_nothing_and_the_names_are_there() -> None:
    assert [name for name in imported("import reclamo") if name.startswith("reclamo")] == ["reclamo"]
    imported("import reclamo\nassert all(getattr(reclamo, name) for name in reclamo.__all__)")


def test_tagging_imports_no_torch_and_no_spacy_for_short_texts() -> None:
    modules = imported("import reclamo\nreclamo.load(cache=None).tag('Llevo tres semanas esperando el reembolso')")
    assert not [name for name in modules if name.startswith(("torch", "transformers", "spacy", "sklearn", "pyarrow"))]

"""Optional dependencies, guarded once."""

from __future__ import annotations

from importlib.util import find_spec

from reclamo.errors import MissingExtraError


def need_train() -> None:
    """Make sure that the `train` extra is installed.

    Raises:
        MissingExtraError: naming the first package that is missing, and the pip line.
    """
    for package in ("torch", "transformers", "datasets", "sklearn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "train")

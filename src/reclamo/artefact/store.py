"""Write and open artefacts: parse, then audit every file by its hash, then hand out paths. No pickle anywhere."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reclamo.artefact.manifest import Manifest
from reclamo.errors import ArtefactError
from reclamo.taxonomy import Taxonomy, load_taxonomy

log = logging.getLogger("reclamo")
MANIFEST: Final = "manifest.json"
TAXONOMY: Final = "taxonomy.toml"
TOKENIZER: Final = "tokenizer.json"
NETWORK: Final = "network.xml"
WEIGHTS: Final = "network.bin"
NGRAMS: Final = "ngrams.npz"
CARD: Final = "README.md"
AUDITED: Final = (TAXONOMY, TOKENIZER, NETWORK, WEIGHTS)
OPTIONAL: Final = (NGRAMS,)
BUNDLED: Final = ("reclamo-small", "reclamo-tiny")  # the first is the default


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """An opened artefact: its folder, manifest and taxonomy. Every file was audited."""

    path: Path
    manifest: Manifest
    taxonomy: Taxonomy

    @property
    def tokenizer(self) -> Path:
        """The tokenizer file."""
        return self.path / TOKENIZER

    @property
    def network(self) -> Path:
        """The network's graph; its weights lie beside it."""
        return self.path / NETWORK

    @property
    def ngrams(self) -> Path | None:
        """The n-grams beside the network, where the tagger has any."""
        return self.path / NGRAMS if NGRAMS in self.manifest.files else None


def file_sha256(path: Path) -> str:
    """Hash a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest in one rename."""
    fresh = path / (MANIFEST + ".new")
    fresh.write_text(json.dumps(manifest.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path / MANIFEST)


def hash_files(path: Path) -> dict[str, str]:
    """Hash the files that an artefact is audited by."""
    present = (*AUDITED, *(name for name in OPTIONAL if (path / name).is_file()))
    return {name: file_sha256(path / name) for name in present}


def open_artefact(path: str | Path) -> Artefact:
    """Parse and audit the artefact in a folder.

    Args:
        path: the folder, or the name of a bundled tagger where there is no such folder.

    Raises:
        ArtefactError: the folder or a file is missing, was altered, or is of another format.
    """
    folder = Path(path)
    if str(path) in BUNDLED and not folder.exists():
        folder = bundled_artefact(str(path))
    if not (folder / MANIFEST).is_file():
        raise ArtefactError(f"holds no {MANIFEST}; give the folder of a tagger, or one of {', '.join(BUNDLED)}", path=folder)
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtefactError(f"{MANIFEST} is not JSON ({error}); copy the tagger again, or retrain it", path=folder) from error
    _audit(folder, raw)
    taxonomy = load_taxonomy(folder / TAXONOMY)
    manifest = Manifest.from_dict(raw, taxonomy, str(folder / MANIFEST))
    return Artefact(path=folder, manifest=manifest, taxonomy=taxonomy)


def _audit(folder: Path, raw: Any) -> None:
    """Compare every file with the hash that the manifest names, before anything is built from it."""
    hashes = raw.get("files") if isinstance(raw, dict) else None
    if not isinstance(hashes, dict):
        raise ArtefactError(f"{MANIFEST} names no files; copy the tagger again, or retrain it", path=folder)
    for name in (*AUDITED, *(name for name in OPTIONAL if name in hashes)):
        if not (folder / name).is_file():
            raise ArtefactError(f"{name} is missing; copy the tagger again, or retrain it", path=folder)
        if hashes.get(name) != file_sha256(folder / name):
            raise ArtefactError(f"{name} is not the file that the manifest names (another hash); copy the tagger again", path=folder)


def bundled_artefact(name: str = BUNDLED[0]) -> Path:
    """Find a bundled tagger: inside the installed package, else in the source tree's models/.

    Raises:
        ArtefactError: neither is there.
    """
    inside = Path(__file__).parents[1] / "_models" / name
    beside = Path(__file__).parents[3] / "models" / name
    for candidate in (inside, beside):
        if (candidate / MANIFEST).is_file():
            return candidate
    raise ArtefactError(f"the bundled tagger {name!r} is not there; reinstall reclamo, or run train.py and give its output folder")


def require_free(path: Path) -> None:
    """Refuse a folder that a new artefact must not take the place of.

    Raises:
        ArtefactError: the folder has files but no manifest.
    """
    if path.exists() and any(path.iterdir()) and not (path / MANIFEST).is_file():
        raise ArtefactError("the output folder holds other files; give an empty folder or one of an old tagger", path=path)


def replace_artefact(new: Artefact, path: Path) -> Artefact:
    """Put a finished artefact where an old one may stand, which stays until then."""
    clear(path)
    path.rmdir()
    new.path.rename(path)
    return open_artefact(path)


def clear(path: Path) -> None:
    """Make an empty folder for a new artefact; a folder that holds something else is refused.

    The card of an old tagger goes too, since its figures are not those of the new one; that is said.

    Raises:
        ArtefactError: the folder has files but no manifest.
    """
    require_free(path)
    if (path / CARD).is_file():
        log.warning("%s was of the tagger before and is gone; evaluate.py writes a new one", path / CARD)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)

"""A tagger on disk: a folder of data, audited before it is built."""

from reclamo.artefact.manifest import FORMAT_VERSION, Calibration, HeadCalibration, Manifest
from reclamo.artefact.store import Artefact, bundled_artefact, open_artefact

__all__ = ["FORMAT_VERSION", "Artefact", "Calibration", "HeadCalibration", "Manifest", "bundled_artefact", "open_artefact"]

"""Detectors: they are trained on a run, saved without pickle, and score the frames of captures, finished or live.

:mod:`detector` defines a detector and its file, :mod:`training` trains one, :mod:`watch` follows frames with one. Scoring a capture
and watching a running testbed use the same code, so the same frames get the same scores.
"""

from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.detection.watch import Verdicts, Watch

__all__ = ["Detector", "Verdicts", "Watch"]

"""Detectors as files: trained on a run, kept without pickle, and watching captures frame by frame, finished ones or live.

:mod:`detector` is the file, :mod:`training` makes one, :mod:`watch` follows frames with it. Scoring a capture and watching a
running testbed go through the same code, so the same frames get the same scores.
"""

from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.detection.watch import Verdicts, Watch

__all__ = ["Detector", "Verdicts", "Watch"]

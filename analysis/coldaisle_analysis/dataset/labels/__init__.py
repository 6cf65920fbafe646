"""Labels that people have of their own captures: one class per capture, a table per frame, rules, or comments in a pcapng."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from coldaisle_analysis.dataset.labels.comments import Comments
from coldaisle_analysis.dataset.labels.rules import Rules
from coldaisle_analysis.dataset.labels.table import FrameTable
from coldaisle_analysis.dataset.labels.truth import TRUTH, named
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import opened

_PCAPNG = b"\x0a\x0d\x0d\x0a"
_FORMS = "give a table per capture, CAPTURE=CLASS, a CSV of rules, or the pcapng itself"


class Source(Protocol):
    """Labels of the frames of one capture."""

    def truth(self, frames: pd.DataFrame, pcap: Path) -> pd.DataFrame:
        """Return the label columns :data:`TRUTH` of every frame.

        Args:
            frames: the capture's rows of level ``packets``.
            pcap: its path.

        Raises:
            InputError: if the labels do not fit the capture.
        """


class WholeCapture:
    """One class for all frames of a capture.

    Args:
        name: the class.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def truth(self, frames: pd.DataFrame, pcap: Path) -> pd.DataFrame:  # noqa: ARG002 - it is one for every capture
        """Return the label columns, see :meth:`Source.truth`."""
        return named(np.full(len(frames), self._name, object))


class Labels:
    """All labels of some captures. What is wrong with them alone is an error at once, before a capture is decoded.

    Args:
        pcaps: the captures.
        given: what ``--labels`` was given: for each capture a class (``CAPTURE=CLASS``), a table or comments; tables and comments
            in the order of the captures; and rules for all of them.

    Raises:
        InputError: if one cannot be used, or a capture has none.
    """

    def __init__(self, pcaps: Sequence[Path], given: Sequence[Path]) -> None:
        self._pcaps, self._rules = pcaps, list[Rules]()
        self._sources: dict[Path, Source] = {}
        in_order = list[Source]()
        for source in given:
            if "=" in str(source) and not source.exists():
                self._name(str(source))
            elif isinstance(read_source := _source(source), Rules):
                self._rules.append(read_source)
            else:
                in_order.append(read_source)
        unnamed = [pcap for pcap in pcaps if pcap not in self._sources]
        if len(in_order) > len(unnamed) or (len(in_order) < len(unnamed) and (in_order or not self._rules)):
            problem = f"one source of labels is needed for each capture: {len(pcaps)} captures, {len(self._sources)} with a class; {_FORMS}"
            raise InputError("--labels", problem, len(in_order))
        self._sources |= dict(zip(unnamed, in_order, strict=False))

    def _name(self, text: str) -> None:
        name, _, kind = text.rpartition("=")
        matching = [pcap for pcap in self._pcaps if name in (str(pcap), pcap.name)]
        if len(matching) != 1:
            names = ", ".join(sorted({pcap.name for pcap in self._pcaps})) or "none"
            problem = (
                "names several captures: give its path"
                if matching
                else f"names no capture; there are {names}"
            )
            raise InputError("--labels", problem, text)
        if not kind.strip():
            raise InputError("--labels", "names no class: write CAPTURE=CLASS", text)
        self._sources[matching[0]] = WholeCapture(kind)

    def truth(self, frames: pd.DataFrame, file: pd.Series) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Return the label columns of all frames, and a sentence for each rule that matches none.

        Args:
            frames: level ``packets``.
            file: number of each frame's capture.

        Raises:
            InputError: if labels do not fit a capture.
        """
        parts = []
        for number, pcap in enumerate(self._pcaps):
            of_capture = frames[(file == number).to_numpy()]
            source = self._sources.get(pcap, WholeCapture("normal"))
            part = source.truth(of_capture, pcap)
            for rules in self._rules:
                part = rules.applied(part, of_capture, pcap)
            parts.append(part)
        remarks = tuple(remark for rules in self._rules for remark in rules.idle())
        return pd.concat(parts, ignore_index=True) if parts else named(np.empty(0, object)), remarks


def _source(path: Path) -> FrameTable | Comments | Rules:
    """Return what a file holds: comments of a pcapng, or rules or a table by the names of its columns.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        with opened(path) as file:
            magic = file.read(4)
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read as labels: {_FORMS}") from error
    if magic == _PCAPNG:
        return Comments(path)
    return Rules(path) if Rules.is_one(path) else FrameTable(path)


__all__ = ["TRUTH", "Labels"]

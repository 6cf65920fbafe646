"""Labels in the comments of a pcapng, as `coldaisle export --to pcapng` writes them (draft-ietf-opsawg-pcapng, sections 3.5 and 4.3).

A comment reads ``label=attack kind=removal episode=e03 role=injected technique=T0804``; other comments say nothing of labels.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from coldaisle_analysis.dataset.labels.truth import ATTACK
from coldaisle_analysis.truth.frames import NORMAL
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read

_SECTION, _OLD, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 2, 3, 6
_BIG = b"\x1a\x2b\x3c\x4d"
_HEADS = {_OLD: 28, _ENHANCED: 28}
"""Offset of the data in blocks that hold a frame and options."""
_COMMENT = 1


class Comments:
    """The comments of one capture.

    Args:
        path: the pcapng.

    Raises:
        InputError: if none of its comments is a label.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        data = read(path, "name a readable pcapng", most=None)
        try:
            self._rows = [_parsed(comments) for comments in _frames(data)]
        except struct.error as error:
            raise InputError(path, "it is cut short or damaged: export it again") from error
        if not any(self._rows):
            raise InputError(
                path,
                "none of its comments is a label, such as 'label=attack kind=flood': give another label file",
            )

    def truth(self, frames: pd.DataFrame, pcap: Path) -> pd.DataFrame:
        """Return the label columns of every frame of a capture.

        Args:
            frames: the capture's rows of level ``packets``.
            pcap: its path, for errors.

        Raises:
            InputError: if it has another number of frames.
        """
        if len(frames) != len(self._rows):
            problem = (
                f"has {len(self._rows)} frames, {pcap.name} {len(frames)}: give the pcapng of this capture"
            )
            raise InputError(self._path, problem)
        word = pd.Series([row.get("label", "normal") for row in self._rows], dtype=object)
        columns = {
            name: pd.Series([row.get(name) for row in self._rows], dtype=object)
            for name in ("kind", "episode", "role")
        }
        label, benign = word == "attack", word == "benign"
        kind = columns.pop("kind").where(label | benign, NORMAL).fillna(ATTACK)
        return pd.DataFrame(
            {"label": label.astype("int8"), "benign": benign.astype("int8"), "kind": kind, **columns}
        )


def _parsed(comments: list[str]) -> dict[str, str]:
    """Return the facts of the comment that is a label; none if there is no such comment."""
    for comment in comments:
        facts = dict(word.split("=", 1) for word in comment.split() if "=" in word)
        if facts.get("label") in {"attack", "benign", "normal"}:
            return facts
    return {}


def _frames(data: bytes) -> Iterator[list[str]]:
    """Yield the comments of each frame.

    Raises:
        struct.error: if a block is cut short.
    """
    at, order = 0, "<"
    while at < len(data):
        if data[at : at + 4] == _SECTION.to_bytes(4):
            order = ">" if data[at + 8 : at + 12] == _BIG else "<"
        kind, length = struct.unpack_from(f"{order}II", data, at)
        if kind in _HEADS:
            (captured,) = struct.unpack_from(f"{order}I", data, at + 20)
            yield list(_comments(data, at + _HEADS[kind] + (captured + 3 & ~3), at + length - 4, order))
        elif kind == _SIMPLE:
            yield []
        if length < 12:  # noqa: PLR2004 - a type and its length twice
            raise struct.error("a block without its length")
        at += length


def _comments(data: bytes, at: int, end: int, order: str) -> Iterator[str]:
    while at + 4 <= end:
        code, length = struct.unpack_from(f"{order}HH", data, at)
        if code == _COMMENT:
            yield data[at + 4 : at + 4 + length].decode("utf-8", "replace")
        elif not code:
            return
        at += 4 + (length + 3 & ~3)

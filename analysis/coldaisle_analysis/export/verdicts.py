"""The labels of frames and flows in words, the same in every format."""

from typing import NamedTuple

import pandas as pd

from coldaisle_analysis.export.source import Source


class Verdict(NamedTuple):
    """The labels of a row that an episode touched.

    Attributes:
        label: ``attack``, ``benign`` (a benign anomaly) or ``normal`` (only touched).
        kind: kind of the episode.
        episode: id of the episode.
        role: role of the row in the episode.
        technique: technique of the kind, by its id in MITRE ATT&CK for ICS, empty for benign kinds.
    """

    label: str
    kind: str
    episode: str
    role: str
    technique: str


def verdicts(source: Source, rows: pd.DataFrame) -> list[Verdict | None]:
    """Return the verdict of each row, ``None`` where no episode touched it.

    Args:
        source: the run.
        rows: rows of any level, with their truth columns.
    """
    truth = [rows[name].astype("object").fillna("") for name in ("label", "benign", "episode", "role")]
    keys = list(zip(*truth, strict=True))
    by_key = {key: _verdict(source, *key) for key in set(keys)}
    return [by_key[key] for key in keys]


def _verdict(source: Source, label: int, benign: int, episode: str, role: str) -> Verdict | None:
    """Return the verdict for the truth columns of a row."""
    if not episode:
        return None
    kind = source.kinds[episode]
    word = "attack" if label else "benign" if benign else "normal"
    return Verdict(word, kind.name, episode, role, kind.technique)

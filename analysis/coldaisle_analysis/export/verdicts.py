"""The labels of frames and flows in words, the same in every format."""

from typing import NamedTuple, Self

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

    @classmethod
    def of(cls, source: Source, label: int, benign: int, episode: str, role: str) -> Self:
        """Return the verdict for the truth columns of a row that an episode touched."""
        kind = source.kinds[episode]
        word = "attack" if label else "benign" if benign else "normal"
        return cls(word, kind.name, episode, role, kind.technique)


def verdicts(source: Source, rows: pd.DataFrame) -> list[Verdict | None]:
    """Return the verdict of each row, ``None`` where no episode touched it.

    Args:
        source: the run.
        rows: rows of any level, with their truth columns.
    """
    columns = (rows["label"], rows["benign"], rows["episode"].astype("object"), rows["role"].astype("object"))
    cache: dict[tuple[int, int, str, str], Verdict] = {}
    row_verdicts: list[Verdict | None] = []
    for label, benign, episode, role in zip(*(column.tolist() for column in columns), strict=True):
        if not isinstance(episode, str) or not episode:
            row_verdicts.append(None)
            continue
        key = (label, benign, episode, role if isinstance(role, str) else "")
        row_verdicts.append(cache.setdefault(key, Verdict.of(source, *key)))
    return row_verdicts

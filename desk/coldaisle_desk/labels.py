"""The episode of each captured frame, as a finished run knows it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Labels:
    """Frames with an episode, by shard and the frame's number in the shard.

    Attributes:
        names: ids of the episodes; the first is empty.
        codes: index into ``names`` of every frame of the run.
        first: number of frames before those of a shard, by shard.
    """

    names: list[str]
    codes: npt.NDArray[np.int64]
    first: dict[str, int]

    def episode(self, shard: str, frame: int) -> str | None:
        """Return the episode of a frame, empty for none; ``None`` where there is no such frame."""
        if shard not in self.first or frame < 1:
            return None
        return self.of_row(self.first[shard] + frame - 1)

    def of_row(self, row: int) -> str | None:
        """Return the episode of a row of the dataset, empty for none; ``None`` where there is no such row."""
        return self.names[self.codes[row]] if 0 <= row < len(self.codes) else None


def load(run: Path) -> Labels | None:
    """Read the labels of a run; ``None`` where it has no dataset yet, or one that cannot be read."""
    path = run / "dataset" / "packets.parquet"
    try:
        table = pq.read_table(path, columns=["shard", "episode"])
        shard = table["shard"].cast(pa.string()).combine_chunks().dictionary_encode()
        episode = pc.fill_null(table["episode"].cast(pa.string()), "").combine_chunks().dictionary_encode()
    except (OSError, KeyError, pa.ArrowException):
        return None
    shards, numbers = shard.indices.to_numpy(), shard.dictionary.to_pylist()
    first = {name: int(np.argmax(shards == code)) for code, name in enumerate(numbers)}
    return Labels(episode.dictionary.to_pylist(), episode.indices.to_numpy().astype(np.int64), first)

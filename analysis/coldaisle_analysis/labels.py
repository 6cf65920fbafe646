"""Labels of frames: the injector's journal joined with the capture, occurrence by occurrence.

The join key is the digest of the frame in the raw capture. Only frames from or to the attacker's MAC
address can be the attacker's, so a restored cache is never mistaken for the owner's own words.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.captures import Frames
from coldaisle_analysis.evidence import Evidence, shard_of_frames
from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.journal import frame_digest

NORMAL = "normal"
TRUTH = ("label", "kind", "episode", "role")
_MAC = np.frombuffer(bytes.fromhex(INJECTOR.mac.replace(":", "")), np.uint8)


@dataclass(frozen=True)
class Join:
    """Journal lines and the frames they speak of.

    Attributes:
        lines: the ``frame`` lines with side ``broker``, with ``row``: position of the frame, -1 when not found.
        touched: mask of the frames that came from or went to the attacker.
        table: a row a frame with label, kind, episode and role.
    """

    lines: pd.DataFrame
    touched: npt.NDArray[np.bool_]
    table: pd.DataFrame


def join(evidence: Evidence) -> Join:
    """Label every frame of a run."""
    touched = through_attacker(evidence.raw)
    candidates = np.flatnonzero(touched)
    seen = pd.DataFrame(
        {
            "shard": shard_of_frames(evidence)[candidates],
            "digest": [frame_digest(evidence.raw.frame(int(row))) for row in candidates],
            "row": candidates,
        }
    )
    key = ["shard", "digest"]
    text = dict.fromkeys(key, "str")  # a table without rows knows no types
    lines = evidence.frames[evidence.frames["side"] == "broker"].astype(text).reset_index(drop=True)
    seen["occurrence"] = seen.groupby(key).cumcount()
    lines["occurrence"] = lines.groupby(key).cumcount()
    merged = lines.merge(seen.astype(text), how="left", on=[*key, "occurrence"])
    lines["row"] = merged["row"].fillna(-1).astype("int64")
    return Join(lines, touched, _label(lines, len(evidence.raw), kinds(evidence)))


def kinds(evidence: Evidence) -> dict[str, str]:
    """Return the kind of each of the plan's episodes."""
    return {episode.id: episode.kind for episode in evidence.plan.episodes}


def through_attacker(frames: Frames) -> npt.NDArray[np.bool_]:
    """Return which frames carry the attacker's MAC address as source or destination."""
    both = 2 * len(_MAC)
    address = frames.data[frames.start[:, None] + np.arange(both)].reshape(-1, 2, len(_MAC))
    return np.asarray((address == _MAC).all(axis=2).any(axis=1) & (frames.length >= both))


def _label(lines: pd.DataFrame, count: int, kind_of: dict[str, str]) -> pd.DataFrame:
    found = lines[lines["row"] >= 0].set_index("row")
    table = found[["attack", "episode", "role"]].reindex(range(count))
    label = table["attack"].eq(other=True).to_numpy(np.int64)
    kind = table["episode"].map(kind_of).where(label == 1, NORMAL)
    return pd.DataFrame({"label": label, "kind": kind, "episode": table["episode"], "role": table["role"]})

"""The label columns of frames, from the names of their classes."""

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Texts
from coldaisle_analysis.class_names import ATTACKED, is_benign
from coldaisle_analysis.truth.frames import NORMAL

ATTACK = "attack"
"""The kind of a frame whose class says only that it is an attack."""
TRUTH = ("label", "benign", "kind", "episode", "role")


def named(classes: Texts) -> pd.DataFrame:
    """Return the label columns of frames by their classes; episodes and roles are not known.

    Args:
        classes: the class of each frame, shape (frames,).
    """
    codes, names = pd.factorize(classes)
    kinds = [_kind(str(name)) for name in names]
    kind = np.array([*kinds, NORMAL], object)[codes]
    return pd.DataFrame(
        {
            "label": (kind != NORMAL).astype(np.int8),
            "benign": np.int8(0),
            "kind": kind,
            "episode": None,
            "role": None,
        }
    )


def _kind(name: str) -> str:
    if is_benign(name):
        return NORMAL
    return ATTACK if name.strip().lower() in ATTACKED else name.strip()

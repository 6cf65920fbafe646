"""Fitted models as bytes and back, without pickle: skops writes what an object is made of and builds it again from known types.

Types that skops does not trust by itself are listed here, and nothing else is built. Trees are on the list although scikit-learn
follows their node numbers unchecked; so these are checked here before anybody predicts with them. What other compiled code makes of
numbers that somebody changed on purpose is not checked: a file of unknown origin cannot bring code along, but might end the process.
"""

import zlib
from collections.abc import Iterator
from io import BytesIO
from tokenize import TokenError
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from skops import io
from skops.io.exceptions import UnsupportedTypeException

from coldaisle_contracts.errors import InputError

TRUSTED = frozenset(
    {
        "coldaisle_analysis.models.charts.Chart",
        "coldaisle_analysis.models.covariance.RobustCovariance",
        "coldaisle_analysis.models.model.Filled",
        "coldaisle_analysis.models.simple.Rule",
        "coldaisle_analysis.models.streaming.AdaptiveForest",
        "coldaisle_analysis.models.streaming.Grove",
        "coldaisle_analysis.models.streaming.HalfSpaces",
        "coldaisle_analysis.models.support.RadialOneClass",
        "coldaisle_analysis.models.support.RadialSVC",
        "coldaisle_analysis.models.trees.Forest",
        "coldaisle_analysis.models.trees.RandomTrees",
        "coldaisle_analysis.models.untold.Oddness",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
    }
)
"""Types that are built beside those that skops trusts: ours, and what the fitted models of the table are made of."""
_CHECKING = ("sklearn.", "coldaisle_analysis.models.trees")
"""Where the estimators come from that refuse rows with other columns than they say they take."""
DAMAGED = (
    AttributeError, BadZipFile, EOFError, ImportError, IndexError, KeyError, LookupError, MemoryError,
    NotImplementedError, OSError, OverflowError, RecursionError, RuntimeError, SyntaxError, TokenError, TypeError, ValueError,
    ZeroDivisionError, zlib.error,
)  # fmt: skip
"""What is raised on the way through bytes that somebody cut or changed."""
MOST_UNPACKED = 1 << 28
"""Bytes a file may hold unpacked: 250 times the largest detector of a week, and no more memory than a laptop spares."""


def dumps(found: object) -> bytes:
    """Return a fitted model as bytes that :func:`loads` takes.

    Raises:
        InputError: it holds an object that cannot be written, or that would not be read again.
    """
    place = type(found).__name__
    try:
        data: bytes = io.dumps(found, compression=ZIP_DEFLATED, compresslevel=1)
    except (UnsupportedTypeException, RecursionError, TypeError, AttributeError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(place, f"cannot be written as a model file ({first})") from error
    _trust(data, place)
    return data


def loads(data: bytes, place: str) -> object:
    """Return the model that these bytes hold.

    Args:
        data: what :func:`dumps` made.
        place: where they come from, for the error.

    Raises:
        InputError: they are no such file, are damaged, or hold a type that is not :data:`TRUSTED`.
    """
    try:
        _trust(data, place)
        found = io.loads(data, trusted=sorted(TRUSTED))
        sound = all(_sound(tree, width) for tree, width in _trees(found))
    except DAMAGED as error:
        raise InputError(
            place, "is not a model file, or it is damaged: train one with `coldaisle analyse RUN`"
        ) from error
    if not sound:
        raise InputError(place, "holds a tree whose nodes lead out of it, and is refused")
    return found


def _trust(data: bytes, place: str) -> None:
    """Raise where bytes hold types that are not trusted, naming them, or more than memory should be filled with."""
    with ZipFile(BytesIO(data)) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > MOST_UNPACKED:
        raise InputError(
            place,
            f"would take {size:,} bytes of memory, and is refused: a model takes {MOST_UNPACKED:,} at most",
        )
    foreign = sorted(set(io.get_untrusted_types(data=data)) - TRUSTED)
    if foreign:
        raise InputError(
            place,
            f"holds objects of a type that no model here is made of: {', '.join(foreign)};"
            " take the version that saved it, or save one with `coldaisle analyse RUN`",
        )


def _trees(found: object, width: int | None = None) -> Iterator[tuple[object, int]]:
    """Yield every tree within an object, and how many columns those that call it make sure of.

    Each step of a pipeline counts anew; an estimator that does not say how many it takes makes sure of none.
    """
    if type(found).__name__ in {"Tree", "TreePredictor"}:
        yield found, width or 0
    elif isinstance(found, list | tuple | set | frozenset):
        yield from (tree for item in found for tree in _trees(item, width))
    elif isinstance(found, dict):
        yield from (tree for item in found.values() for tree in _trees(item, width))
    elif isinstance(found, np.ndarray) and found.dtype == object:
        yield from (tree for item in found.flat for tree in _trees(item, width))
    elif hasattr(found, "__dict__"):
        if isinstance(found, BaseEstimator) and type(found).__module__.startswith(_CHECKING):
            takes = int(getattr(found, "n_features_in_", 0))
            width = None if isinstance(found, Pipeline) else takes if width is None else min(width, takes)
        yield from (tree for item in vars(found).values() for tree in _trees(item, width))


def _sound(tree: object, width: int) -> bool:
    """Return whether each inner node of a tree asks for a column that is there and leads to nodes behind it."""
    nodes = tree.__getstate__()["nodes"]  # type: ignore[index]  # a dict for either kind of tree
    names = nodes.dtype.names
    if "is_leaf" in names:
        leaf, left, right, column = nodes["is_leaf"] == 1, nodes["left"], nodes["right"], nodes["feature_idx"]
        if nodes["is_categorical"].any():
            return False
    else:
        left, right, column = nodes["left_child"], nodes["right_child"], nodes["feature"]
        leaf = left == -1
    at = np.flatnonzero(~leaf)
    ends = [side[at].astype(np.int64) for side in (left, right)]
    asked = column[at].astype(np.int64)
    behind = all(((side > at) & (side < len(nodes))).all() for side in ends)
    return bool(len(nodes)) and behind and bool(((asked >= 0) & (asked < width)).all())

"""Fitted models as bytes and back, without pickle: skops writes the parts of an object and builds it again from trusted types.

Types that skops does not trust by itself are listed here, and no others are built. Trees are on the list although scikit-learn
follows their node numbers unchecked; so the node numbers are checked here before a model predicts. Other numbers are not checked: a
file of unknown origin cannot bring code along, but numbers that somebody changed on purpose might crash compiled code and the process.
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
"""Types that are built besides those that skops trusts: our own, and those that fitted models of the table consist of."""
_CHECKING = ("sklearn.", "coldaisle_analysis.models.trees")
"""Modules whose estimators refuse rows with another number of columns than they declare."""
DAMAGED = (
    AttributeError, BadZipFile, EOFError, ImportError, IndexError, KeyError, LookupError, MemoryError,
    NotImplementedError, OSError, OverflowError, RecursionError, RuntimeError, SyntaxError, TokenError, TypeError, ValueError,
    ZeroDivisionError, zlib.error,
)  # fmt: skip
"""Errors that reading raises when bytes were cut or changed."""
_TRAIN = "train one with `coldaisle analyse RUN`"
_BUILD = "build it of scikit-learn's own estimators (docs/extending.md)"
MOST_UNPACKED = 1 << 28
"""Largest size of an unpacked file in bytes: 250 times the largest detector of a week, and still small for a laptop's memory."""


class UnsavableError(InputError):
    """A model holds an object that cannot be written, or that would not be read again."""


def dumps(model: object) -> bytes:
    """Return a fitted model as bytes for :func:`loads`.

    Raises:
        UnsavableError: if it holds an object that cannot be written, or that would not be read again.
    """
    place = type(model).__name__
    try:
        data: bytes = io.dumps(model, compression=ZIP_DEFLATED, compresslevel=1)
    except (UnsupportedTypeException, RecursionError, TypeError, AttributeError) as error:
        first = str(error).partition("\n")[0]
        raise UnsavableError(place, f"cannot be written as a model file ({first}): {_BUILD}") from error
    if foreign := _untrusted(data):
        raise UnsavableError(place, f"holds {', '.join(foreign)}, which no model file may hold: {_BUILD}")
    _refuse_large(data, place)
    return data


def loads(data: bytes, place: str) -> object:
    """Return the model in these bytes.

    Args:
        data: the bytes that :func:`dumps` returned.
        place: their origin, for the error.

    Raises:
        InputError: if they are no model file, are damaged, or hold a type that is not :data:`TRUSTED`.
    """
    try:
        _refuse_large(data, place)
        if foreign := _untrusted(data):
            raise InputError(
                place,
                f"holds types that no model of coldaisle has ({', '.join(foreign)}): "
                f"use the version that saved it, or {_TRAIN}",
            )
        model = io.loads(data, trusted=sorted(TRUSTED))
        sound = all(_sound(tree, width) for tree, width in _trees(model))
    except DAMAGED as error:
        raise InputError(place, f"is not a model file, or it is damaged: {_TRAIN}") from error
    if not sound:
        raise InputError(place, f"holds a tree whose nodes lead out of it: {_TRAIN}")
    return model


def _refuse_large(data: bytes, place: str) -> None:
    """Raise ``InputError`` if bytes would unpack to too many bytes."""
    with ZipFile(BytesIO(data)) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > MOST_UNPACKED:
        raise InputError(
            place,
            f"would take {size:,} bytes of memory: name a model file, which takes {MOST_UNPACKED:,} at most",
        )


def _untrusted(data: bytes) -> list[str]:
    """Return the types in a model file that are not trusted."""
    return sorted(set(io.get_untrusted_types(data=data)) - TRUSTED)


def _trees(part: object, width: int | None = None) -> Iterator[tuple[object, int]]:
    """Yield every tree within an object, and the number of columns that its callers guarantee.

    Each step of a pipeline is counted separately; an estimator that does not declare its number of columns guarantees none.
    """
    if type(part).__name__ in {"Tree", "TreePredictor"}:
        yield part, width or 0
    elif isinstance(part, list | tuple | set | frozenset):
        yield from (tree for item in part for tree in _trees(item, width))
    elif isinstance(part, dict):
        yield from (tree for item in part.values() for tree in _trees(item, width))
    elif isinstance(part, np.ndarray) and part.dtype == object:
        yield from (tree for item in part.flat for tree in _trees(item, width))
    elif hasattr(part, "__dict__"):
        if isinstance(part, BaseEstimator) and type(part).__module__.startswith(_CHECKING):
            takes = int(getattr(part, "n_features_in_", 0))
            width = None if isinstance(part, Pipeline) else takes if width is None else min(width, takes)
        yield from (tree for item in vars(part).values() for tree in _trees(item, width))


def _sound(tree: object, width: int) -> bool:
    """Return whether each inner node of a tree reads an existing column and leads to later nodes."""
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
    columns = column[at].astype(np.int64)
    behind = all(((side > at) & (side < len(nodes))).all() for side in ends)
    return bool(len(nodes)) and behind and bool(((columns >= 0) & (columns < width)).all())

"""The rules that a model of another package has to keep."""

import re
from collections.abc import Iterable, Iterator

from coldaisle_analysis.models.model import Model

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""Form of the name of a model, which is part of the name of its file."""


def faults(shipped: Iterable[Model], name: str, model: Model) -> Iterator[str]:
    """Yield what is wrong with a model of another package, as the second half of a sentence.

    Args:
        shipped: the models that coldaisle ships. Their rows are drawn together by preparation, so a model that shares a preparation and
            takes more rows would change their scores.
        name: its name.
        model: the model.
    """
    if not NAME.fullmatch(name):
        yield "its name: use lower-case letters, digits and underscores"
    most = max(
        (own.most_rows for own in shipped if own.preparation is model.preparation), default=model.most_rows
    )
    if model.most_rows > most:
        yield f"its most_rows is {model.most_rows:,}: with this preparation give {most:,} at most, or write a preparation of your own"
    try:
        estimator = model.make(0, ("column",))
    except Exception as error:  # noqa: BLE001 - a package's own code may raise anything
        yield f"its make fails ({type(error).__name__}: {error}): mend it"
        return
    scores = hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")
    if not hasattr(estimator, "fit") or not scores:
        yield f"its make returns a {type(estimator).__name__}, which lacks fit, or both predict_proba and decision_function: return a classifier"

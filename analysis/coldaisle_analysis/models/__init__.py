"""The detectors: one table, name to pipeline, a file a family.

To add a model, add a row to the ``MODELS`` of its family; evaluation, report and tests pick it up. A model names what prepares its
rows (imputation, scaling), which is learned from training rows too, so nothing is fitted on test rows.
"""

from coldaisle_analysis.models import charts, linear, neighbours, simple, streaming, trees, untold
from coldaisle_analysis.models.model import (
    EVEN_CHANCE,
    EVERY_ROW,
    MIN_CLASS_ROWS,
    Model,
    Preparation,
    scores,
    threshold,
    unsupervised_threshold,
)

__all__ = [
    "BASELINES",
    "EVEN_CHANCE",
    "EVERY_ROW",
    "MIN_CLASS_ROWS",
    "MODELS",
    "RULE",
    "WITHOUT_KIND",
    "WITH_IDENTITY",
    "WITH_POLICIES",
    "Model",
    "Preparation",
    "scores",
    "threshold",
    "unsupervised_threshold",
]

FAMILIES = (simple, linear, neighbours, trees, charts, untold, streaming)
MODELS: dict[str, Model] = {name: model for family in FAMILIES for name, model in family.MODELS.items()}
"""Every model, the bars first: a score means something only beside them."""
BASELINES = tuple(simple.MODELS)
"""The models that the others have to beat."""
RULE = "rule"
"""The bar that knows what an operator knows."""
WITH_IDENTITY = "decision_tree"
"""The model that is also given the identity columns, to show what they leak."""
WITHOUT_KIND = "decision_tree"
"""The model that is also tried on kinds it never saw, one at a time."""
WITH_POLICIES = ("rule", "ewma_told", "logistic_regression", "random_forest", "gradient_boosting")
"""The models that decision policies are tuned for."""

"""The table of models by name, with one file per family.

To add a model, add a row to the ``MODELS`` of its family; evaluation, report and tests include it by themselves. A package of its own adds
one by an entry point, see docs/extending.md. A model names the preparation of its rows (imputation, scaling), which is fitted on training rows too, so nothing is fitted on test rows.
"""

from functools import partial

from coldaisle_analysis.models import charts, linear, neighbours, simple, streaming, trees, untold
from coldaisle_analysis.models.model import Model
from coldaisle_analysis.models.rules import faults
from coldaisle_contracts.extensions import Table

FAMILIES = (simple, linear, neighbours, trees, charts, untold, streaming)
SHIPPED: dict[str, Model] = {name: model for family in FAMILIES for name, model in family.MODELS.items()}
"""Every model that coldaisle ships, the baselines first: a score means something only beside theirs."""
MODELS: Table[Model] = Table("coldaisle.models", SHIPPED, Model, partial(faults, SHIPPED.values()))
"""Every model by its name: the shipped ones and those of other packages."""
BASELINES = tuple(simple.MODELS)
"""The baselines, which the other models have to beat."""
RULE = "rule"
"""The baseline that stands for an operator's knowledge."""
WITH_IDENTITY = "decision_tree"
"""The model that is also evaluated with the identity columns, to show what they leak."""
WITHOUT_KIND = "decision_tree"
"""The model that is also evaluated with one kind at a time left out of training."""
WITH_POLICIES = ("rule", "ewma_told", "logistic_regression", "random_forest", "gradient_boosting")
"""The shipped models that alarm policies are tuned for."""


def with_policies() -> tuple[str, ...]:
    """Return the models that alarm policies are tuned for and that become detectors: ours, and the supervised ones of other packages."""
    return (*WITH_POLICIES, *(name for name in MODELS.origins() if MODELS[name].supervised))

"""The analysis: labels, dataset, models and report from captures and journals.

``load_run``, ``load_campaign``, ``load_dad`` and ``score_early`` are here for notebooks. Their modules are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coldaisle_analysis.loading import load_campaign, load_dad, load_run
    from coldaisle_analysis.own_scores import score_early

__all__ = ["load_campaign", "load_dad", "load_run", "score_early"]


def __getattr__(name: str) -> Any:
    """Return one of these functions, imported now (PEP 562)."""
    if name in __all__:
        module = "own_scores" if name == "score_early" else "loading"
        return getattr(import_module(f"coldaisle_analysis.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

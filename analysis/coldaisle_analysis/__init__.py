"""From captures and journals to labels, dataset, models and report.

``load_run`` and ``load_dad`` are here for notebooks; what they need is imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coldaisle_analysis.loading import load_dad, load_run

__all__ = ["load_dad", "load_run"]


def __getattr__(name: str) -> Any:
    """Return a loader, imported now (PEP 562)."""
    if name in __all__:
        return getattr(import_module("coldaisle_analysis.loading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

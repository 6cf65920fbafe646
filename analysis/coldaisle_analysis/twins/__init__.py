"""What an attack changed: a run compared, row by row, with plays of its plan without an episode."""

from coldaisle_analysis.twins.stored import visibility_of

__all__ = ["visibility_of"]

"""Why a difference from published captures is there, where that is known. What virtual time cannot show comes first."""

REASONS: dict[str, str] = {}
"""The reason for a large difference of a measure, as the rest of a sentence."""

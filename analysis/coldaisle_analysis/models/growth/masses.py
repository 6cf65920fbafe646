"""The mass of rows, packed into one whole number: how many they are, their weight, and the weight of the attacks among them."""

from coldaisle_analysis.compiled import inner

BITS = 21
"""Bits of each of the three numbers."""
_MASK = (1 << BITS) - 1


@inner
def rows_of(mass: int) -> int:
    """Return how many rows have this mass."""
    return mass >> (2 * BITS)


@inner
def weight_of(mass: int) -> int:
    """Return their weight."""
    return (mass >> BITS) & _MASK


@inner
def attacks_of(mass: int) -> int:
    """Return the weight of the attacks among them."""
    return mass & _MASK


@inner
def gini(mass: int) -> float:
    """Return Gini's impurity, computed in scikit-learn's order."""
    weight, attacks = float(weight_of(mass)), float(attacks_of(mass))
    others = weight - attacks
    return 1.0 - (others * others + attacks * attacks) / (weight * weight)


@inner
def proxy(left: int, whole: int) -> float:
    """Return what scikit-learn compares splits by: the negative impurity of both children, each by its weight."""
    right = whole - left
    return -float(weight_of(right)) * gini(right) - float(weight_of(left)) * gini(left)

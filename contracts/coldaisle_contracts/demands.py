"""What a kind demands of the dialect of its unit: an episode that cannot be played is refused, and none such is drawn."""

from coldaisle_contracts.dialects import PLAINTEXT
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.scenario import BROKER, EpisodeSpec, Scenario
from coldaisle_contracts.taxonomy import Demand


def imitated(scenario: Scenario, target: str | None) -> str:
    """Return the unit that an episode attacks; where it attacks the broker, the unit that it imitates: the first one."""
    return scenario.units[0] if target in (None, BROKER) else str(target)


def unmet(scenario: Scenario, kind: str, variant: str, target: str | None) -> Demand | None:
    """Return the first demand of a variant that the unit does not meet, ``None`` where it can be played."""
    for demand in KINDS[kind].demands:
        concerned = not demand.variants or variant in demand.variants
        if concerned and _offered(scenario, demand, target) not in demand.values:
            return demand
    return None


def _offered(scenario: Scenario, demand: Demand, target: str | None) -> object:
    """Return what the site offers for a demand: a property of the broker, or of the unit's dialect."""
    if demand.key == PLAINTEXT:
        return scenario.site.broker.plaintext
    return getattr(scenario.site.units[imitated(scenario, target)].dialect, demand.key)


def playable(scenario: Scenario, kind: str, target: str | None) -> tuple[str, ...]:
    """Return the variants of a kind that can be played on a target."""
    return tuple(name for name in KINDS[kind].variants if unmet(scenario, kind, name, target) is None)


def playable_anywhere(scenario: Scenario, kind: str) -> tuple[str, ...]:
    """Return the variants of a kind that can be played on one unit or another, or on the broker."""
    targets = [BROKER] if KINDS[kind].target == BROKER else scenario.units
    able = {variant for target in targets for variant in playable(scenario, kind, target)}
    return tuple(name for name in KINDS[kind].variants if name in able)


def refuse_unplayable(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse an episode whose unit does not meet the demands of its kind."""
    variants = playable(scenario, spec.kind, spec.unit)
    if spec.variant in variants or (spec.variant is None and variants):
        return
    named = spec.variant or KINDS[spec.kind].variants[0]
    demand, unit = unmet(scenario, spec.kind, named, spec.unit), imitated(scenario, spec.unit)
    assert demand is not None  # noqa: S101 - else the variant were playable
    value = _offered(scenario, demand, spec.unit)
    if demand.key == PLAINTEXT:
        remedy = (
            f"the broker has {PLAINTEXT} = {_text(value)}, and {demand.reason}: give it {PLAINTEXT} = true"
        )
        raise InputError(f"{place}.kind", remedy, spec.kind)
    able = " or ".join(map(_text, demand.values))
    other = f"choose a unit whose {demand.key} is {able}" + (
        f", or the variant {variants[0]}" if variants else ""
    )
    remedy = f"{unit} has {demand.key} = {_text(value)}, and {demand.reason}: {other}"
    raise InputError(f"{place}.{'variant' if spec.variant else 'kind'}", remedy, spec.variant or spec.kind)


def _text(value: object) -> str:
    """Return a value as a site file writes it."""
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )

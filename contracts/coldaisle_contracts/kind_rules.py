"""The rules that the row of a kind has to keep, whoever wrote it."""

import re
from collections.abc import Iterator
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from coldaisle_contracts.dialects import DEMANDED
from coldaisle_contracts.taxonomy import Kind, Parameter
from coldaisle_contracts.validation import first_problem

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""Form of the name of a kind."""
_PARAMETER_OF_PACE = {"holds": "delay_s", "queries": "size", "outage": "outage_s"}
"""The parameter from which each of these paces lays its acts, see ``acts``."""
_PARAMETER_OF_VARIANT = {"shift": "size", "drift": "size", "noise": "spread"}
"""The parameter of each variant that says how a value changes."""


def faults(name: str, kind: Kind) -> Iterator[str]:
    """Yield what is wrong with the row of a kind of another package, as the second half of a sentence.

    Args:
        name: the name under which the package adds it.
        kind: its row.
    """
    try:
        TypeAdapter(Kind).validate_python(asdict(kind))
    except ValidationError as error:
        yield f"its {str(first_problem('row', error)).partition('key ')[2]}"
        return
    if kind.name != name or not NAME.fullmatch(name):
        yield f"its name is {kind.name!r}: both names have to be the same, of lower-case letters, digits and hyphens"
    if not kind.module:
        yield "its module is empty: name the module whose class plays it"
    yield from contradictions(kind)


def contradictions(kind: Kind) -> Iterator[str]:
    """Yield what contradicts itself in the row of a kind, as the second half of a sentence."""
    between = kind.pace in ("none", "readings", "copies", "holds", "queries", "slots", "bounds", "before")
    for is_broken, sentence in (
        (bool(kind.technique) == kind.benign, "technique: an attack has one, and a benign kind has none"),
        (not kind.variants or len(set(kind.variants)) < len(kind.variants), "variants: name one or more, each once"),
        (not kind.effect or not kind.filter, "effect and filter: neither may be empty"),
        (kind.actor == "unit" and (not kind.benign or kind.target != "unit"), "actor: a unit plays only what is benign and concerns itself"),
        (kind.on_path and kind.target != "unit", "roles: what is relayed passes between a unit and the broker, so the target is a unit"),
        (kind.on_path and not between, f"pace: {kind.pace} is not for a kind on the path"),
        (kind.edit not in ("", "hold") and kind.pace != "readings", "edit: only pace readings has one that is not hold"),
        (kind.edit == "" and kind.pace == "readings" and kind.actor == "injector", "edit: pace readings has one, unless a unit plays the kind"),
        (kind.edit not in ("", "swallow", "hold") and kind.actor == "unit", "edit: a unit itself can only swallow or hold a reading"),
        ((kind.edit == "hold") != (kind.pace == "holds"), "edit: hold and pace holds go together"),
    ):  # fmt: skip
        if is_broken:
            yield sentence
    for demand in kind.demands:
        if demand.key not in DEMANDED or not demand.values:
            yield f"demand {demand.key}: a key is one of {', '.join(DEMANDED)}, and it has values"
        if not set(demand.variants) <= set(kind.variants):
            yield f"demand {demand.key}: it names a variant that the kind has not"
    for row in kind.parameters:
        yield from _of_parameter(kind, row)
    for variant in kind.variants:
        yield from _of_variant(kind, variant)


def _of_parameter(kind: Kind, row: Parameter) -> Iterator[str]:
    if not set(row.variants) <= set(kind.variants):
        yield f"parameter {row.name}: it names a variant that the kind has not"
    ends = [row.around + sign * size for size in (row.faint, row.blatant) for sign in _signs(row)]
    if not row.least <= min(ends) <= max(ends) <= row.most:
        yield f"parameter {row.name}: its values at intensity 0 and 1 lie outside of its bounds"


def _signs(row: Parameter) -> tuple[int, ...]:
    return (-1, 1) if row.signed else (1,)


def _of_variant(kind: Kind, variant: str) -> Iterator[str]:
    names = [row.name for row in kind.parameters if row.of(variant)]
    if len(set(names)) < len(names):
        yield f"variant {variant}: it has two parameters of the same name"
    needed = {_PARAMETER_OF_PACE.get(kind.pace, "")} if kind.name != "reordering" else set()
    if kind.edit == "modify" or (kind.edit == "" and kind.pace == "readings"):
        needed |= {_PARAMETER_OF_VARIANT.get(variant, "")}
    if "rate" in names:
        needed |= {"count"}
    for name in sorted(needed - {"", *names}):
        yield f"variant {variant}: it needs a parameter {name}"

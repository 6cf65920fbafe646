"""The sections of docs/attacks.md: printed here from the table of kinds and compared with the page."""

import re
import tomllib
from pathlib import Path

import pytest

from coldaisle_contracts.acts import EACH_S, PACE
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.taxonomy import ATTACK_MATRIX, Family, Kind, Pace, Parameter

DOCS = Path(__file__).parents[2] / "docs" / "attacks.md"
FAMILIES: dict[Family, str] = {
    "on the path": "ARP claims make a unit and the broker send each other's frames to the attacker, which alters, holds, drops or adds to them.",
    "rogue client": "The attacker's own host speaks MQTT to the broker, under its own name or somebody else's.",
    "denial of service": "The broker is sent more traffic, or worse traffic, than it should have to handle.",
    "reconnaissance and time": "The attacker finds out who is there and what runs on it.",
    "benign": "Nobody attacks: the label is 0 and the kind is known, so that false alarms can be counted by their cause.",
}
TECHNIQUES = {
    "T0801": "Monitor Process State",
    "T0804": "Block Reporting Message",
    "T0812": "Default Credentials",
    "T0814": "Denial of Service",
    "T0815": "Denial of View",
    "T0830": "Adversary-in-the-Middle",
    "T0832": "Manipulation of View",
    "T0846": "Remote System Discovery",
    "T0856": "Spoof Reporting Message",
    "T0861": "Point & Tag Identification",
    "T0888": "Remote System Information Discovery",
}
"""The techniques' names in the matrix."""
VARIANTS = {
    "shift": "`size` is added",
    "freeze": "the last value before the episode",
    "scale": "multiplied by `factor`",
    "drift": "a growing part of `size` is added, all of it at the end",
    "noise": "random noise is added",
    "replay": "an earlier value",
    "once": "one copy",
    "burst": "`count` copies",
    "qos-0": "nothing is acknowledged",
    "qos-1": "everything is",
    "grammar": "broken in form",
    "oversized": "padded to `size`",
    "syn": "TCP",
    "udp": "UDP",
}
"""The effect of each variant of a kind with several, without variants that are header fields."""
PACES: dict[Pace, str] = {
    "none": "none: being on the path is all",
    "readings": "one on each reading attacked, as it passes",
    "copies": "one on each reading attacked, with the times of its copies",
    "holds": "one on each reading held back, with the time at which it is sent on",
    "queries": "one on each NTP query of the unit",
    "slots": "one in each slot, at a time drawn by seed",
    "once": "one in the first slot, at a time drawn by seed",
    "ends": "one in the first slot, one in the last",
    "bounds": "for each sensor attacked one just before its first reading, one after its last at a time drawn by seed",
    "before": "for each sensor attacked one just before each reading",
    "outage": "one around the first reading, with the times of its begin and end",
}
FAULTS: dict[Pace, str] = {
    "readings": "one on each reading of a faulty sensor, when it is due",
    "copies": "one on each reading of a faulty sensor, with the times of its copies",
    "holds": "one on each reading of a faulty sensor, with the time at which it is published",
}
"""The same for the kinds that a unit plays itself on some of its sensors."""


def anchor(title: str) -> str:
    """Return the anchor of a heading."""
    return title.replace(" ", "-")


def overview() -> str:
    """Return the table of families and their kinds, each linked to its section."""
    rows = (
        f"| [{family}](#{anchor(family)}) | "
        + ", ".join(f"[`{kind.name}`](#{kind.name})" for kind in SHIPPED.values() if kind.family == family)
        + " |"
        for family in FAMILIES
    )
    return "\n".join(["| family | kinds |", "|---|---|", *rows])


def section(family: Family) -> str:
    """Return the section of a family."""
    kinds = (kind for kind in SHIPPED.values() if kind.family == family)
    head = f"## {family[0].upper()}{family[1:]}\n\n{FAMILIES[family]}"
    return "\n\n".join([head, *map(part, kinds)]) + "\n"


def part(kind: Kind) -> str:
    """Return the part of a kind: a sentence, its facts and its parameters."""
    played = (
        "one for each sensor attacked"
        if kind.pace == "slots" and kind.target == "unit" and not kind.benign
        else ""
    )
    paces = FAULTS if kind.actor == "unit" and kind.on_readings else PACES
    facts = {
        "technique": technique(kind),
        "variants": variants(kind),
        "roles": ", ".join(f"`{role}`" for role in kind.roles),
        "acts": "; ".join(filter(None, [paces[kind.pace], played])),
        "budget": budget(kind),
        "hides": hiding(kind),
        "filter": f"`{kind.filter}`",
    }
    lines = (f"* {name}: {fact}" for name, fact in facts.items() if fact)
    sentence = f"{kind.effect[0].upper()}{kind.effect[1:]}."
    return "\n\n".join([f"### `{kind.name}`", sentence, "\n".join(lines), *parameters(kind)])


def variants(kind: Kind) -> str:
    """Return the variants of a kind that has several, each with its effect if the name does not say it."""
    if len(kind.variants) == 1:
        return ""
    names = (f"`{name}`" + (f" ({VARIANTS[name]})" if name in VARIANTS else "") for name in kind.variants)
    return ", ".join(names)


def technique(kind: Kind) -> str:
    """Return id and name of a kind's technique, linked."""
    if kind.benign:
        return ""
    return f"[{kind.technique}](https://attack.mitre.org/techniques/{kind.technique}/) {TECHNIQUES[kind.technique]}"


def budget(kind: Kind) -> str:
    """Return the limits of an act: the frames that its player may make, and real time."""
    if kind.pace == "none":
        return ""
    counted = next((row.unit for row in kind.parameters if row.name == "count"), "")
    per_item = f" and {kind.frames_each} for each of the {counted}" if kind.frames_each else ""
    seconds = f"{kind.cost_s:g} s{busy(kind)}"
    by = f"at most {kind.frames} frames{per_item}, " if kind.actor == "injector" else ""
    return f"{by}about {seconds} of real time per act"


def busy(kind: Kind) -> str:
    """Return the real time that continuous work adds to an act, see ``acts.effort_s``."""
    if kind.name == "malformed":
        return f" and `count` times {EACH_S:g} s, more for their `size`: {PACE / 1e6:g} MB/s"
    return " and `count` / `rate`" if any(row.name == "rate" for row in kind.parameters) else ""


def hiding(kind: Kind) -> str:
    """Return the key that hides a kind, and the parameters that the kind then does not take."""
    if not kind.stealth:
        return ""
    overt = ", ".join(f"`{row.name}`" for row in kind.parameters if row.overt)
    return "yes, with `stealth = true`" + (f", then without {overt}" if overt else "")


def parameters(kind: Kind) -> list[str]:
    """Return the table of a kind's parameters, or an empty text if it has none."""
    if not kind.parameters:
        return []
    rows = (
        f"| `{row.name}`{_of(row)} | {_number(row.least)} to {_number(row.most)}{_unit(row)} | {_ends(row)} | {row.meaning} |"
        for row in kind.parameters
    )
    return ["\n".join(["| parameter | takes | faint → blatant | meaning |", "|---|---|---|---|", *rows])]


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _of(row: Parameter) -> str:
    return f" of {', '.join(f'`{variant}`' for variant in row.variants)}" if row.variants else ""


def _unit(row: Parameter) -> str:
    return "" if row.unit == "1" else f" {row.unit}"


def _ends(row: Parameter) -> str:
    if not row.drawn:
        return "only when named"
    around = f"{row.around:g} " if row.around else ""
    sign = "± " if row.signed else ""
    return f"{around}{sign}{_number(row.faint)} → {around}{sign}{_number(row.blatant)}"


def printed(head: str) -> str:
    """Return the section of docs/attacks.md under a heading, with the heading."""
    text = DOCS.read_text(encoding="utf-8")
    match = re.search(rf"^{re.escape(head)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return match[0].strip() if match else ""


@pytest.mark.parametrize("family", FAMILIES)
def test_sections_equal_the_table(family: Family) -> None:
    """Each family's section holds exactly its kinds, their facts and their parameters."""
    text = section(family).strip()
    assert printed(text.partition("\n")[0]) == text, f"print it again:\n{text}"


def test_overview_names_every_kind() -> None:
    """The table at the top links every kind and names the matrix of the techniques."""
    text = DOCS.read_text(encoding="utf-8")
    assert overview() in text, f"print it again:\n{overview()}"
    assert ATTACK_MATRIX in text
    assert {kind.family for kind in SHIPPED.values()} == set(FAMILIES)


def test_nothing_is_named_in_vain() -> None:
    """Only techniques and variants of the kinds are explained; variants that are header fields need no explanation."""
    several = {
        name
        for kind in SHIPPED.values()
        if len(kind.variants) > 1
        for name in kind.variants
        if "." not in name
    }
    assert several == set(VARIANTS)
    assert {kind.technique for kind in SHIPPED.values() if not kind.benign} == set(TECHNIQUES)


def test_example_is_a_scenario() -> None:
    """The example is valid: in a scenario of one day it gives a plan with each of its episodes."""
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    base = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
    scenario = Scenario.model_validate(base | tomllib.loads(example))
    assert len(build_plan(scenario).episodes) == len(scenario.episodes) + scenario.drawn.count

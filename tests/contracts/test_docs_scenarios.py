"""The tables of docs/scenarios.md: printed here from the models and compared with the page."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from coldaisle_contracts.background import Background
from coldaisle_contracts.companions import CompanionGroup
from coldaisle_contracts.kinds import DRAWN, SHIPPED
from coldaisle_contracts.listeners import Broker
from coldaisle_contracts.publish import Author, Publish
from coldaisle_contracts.scenario import Chain, Drawn, EpisodeSpec, Scenario
from coldaisle_contracts.site_parameters import Season, Site
from coldaisle_contracts.units import Group

DOCS = Path(__file__).parents[2] / "docs" / "scenarios.md"
SECTIONS: dict[str, type[BaseModel]] = {
    "The run": Scenario,
    "`[drawn]`": Drawn,
    "`[[episodes]]`": EpisodeSpec,
    "`[[chains]]`": Chain,
    "`[site]`": Site,
    "`[[site.devices]]`": Group,
    "`[[site.devices]]` of another kind": CompanionGroup,
    "`[site.broker]`": Broker,
    "`[site.season]`": Season,
    "`[site.background]`": Background,
    "`[publish]`": Publish,
    "`[[publish.authors]]`": Author,
}
_TABLES = {
    "Site": "`[site]` or a file",
    "Group": "`[[site.devices]]`",
    "Drawn": "`[drawn]`",
    "EpisodeSpec": "`[[episodes]]`",
    "Broker": "`[site.broker]`",
    "Chain": "`[[chains]]`",
    "Season": "`[site.season]`",
    "Background": "`[site.background]`",
    "Publish": "`[publish]`",
    "Author": "`[[publish.authors]]`",
}
_WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`"}
_PER = {"Kinds": "kind", "Medians": "unit", "Accounts": "name"}
_WORDED = {
    ("Site", "devices"): "the published ones",
    ("Site", "medians"): "the published ones",
    ("Group", "tls"): "where there is no plaintext",
    ("Group", "jitter_s"): "0.75 ms",
    **{
        ("CompanionGroup", key): "that of the kind"
        for key in ("name", "client", "topic", "interval_s", "qos", "retain", "version")
    },
}
"""Defaults in words, by model and key."""
_LIMITS = {"exclusiveMinimum": "> ", "minimum": "≥ ", "exclusiveMaximum": "< ", "maximum": "≤ "}


def bounds(schema: dict[str, Any]) -> str:
    """Return the values that a key may have, in words, from its JSON schema."""
    match schema:
        case {"$ref": target}:
            text = _TABLES[target.rpartition("/")[2]]
        case {"anyOf": [first, *_]}:
            text = bounds(first)
        case {"enum": values} if values == list(SHIPPED):
            text = "a kind of [attacks.md](attacks.md)"
        case {"const": value}:
            text = f"`{value}`"
        case {"enum": values}:
            text = ", ".join(f"`{value}`" for value in values)
        case {"prefixItems": items}:
            text = f"{len(items)} of: {bounds(items[0])}"
        case {"items": item}:
            text = f"list: {bounds(item)}"
        case {"additionalProperties": dict(entry)}:
            text = f"per {_PER[schema['title']]}: {bounds(entry)}"
        case {"patternProperties": dict(entries)}:
            text = f"per {_PER[schema['title']]}: {bounds(next(iter(entries.values())))}"
        case _:
            word = {"date": "date", "time": "time of day"}.get(
                schema.get("format", ""), _WORDS[schema["type"]]
            )
            limits = [f"{sign}{schema[key]:.12g}" for key, sign in _LIMITS.items() if key in schema]
            text = " ".join([word, ", ".join(limits)]).strip()
    return text


def default(model: type[BaseModel], key: str) -> str:
    """Return the default of a key in TOML."""
    field = model.model_fields[key]
    worded = _WORDED.get((model.__name__, key), "required")
    if field.is_required() or worded != "required":
        return worded
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "drawn by seed" if model is EpisodeSpec and key != "unit" else "none"
    if isinstance(value, BaseModel):
        return "its defaults"
    if value == dict.fromkeys(DRAWN, 1.0):
        return "each 1"
    if isinstance(value, dict) and value:
        return "; ".join(f"`{key}` {_toml(entry)}" for key, entry in value.items())
    return _toml(value) if value not in ((), {}) else "none"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_toml, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return the line of every attribute in the model's docstring."""
    text = (inspect.getdoc(model) or "").partition("Attributes:")[2]
    lines = re.findall(r"^    (\w+): (.+(?:\n        .+)*)", text, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", meaning).replace("``", "`").rstrip(".") for name, meaning in lines}


def table(model: type[BaseModel]) -> str:
    """Return the table of a model as docs/scenarios.md shows it."""
    properties, texts = model.model_json_schema()["properties"], meanings(model)
    rows = (
        f"| `{key}` | {bounds(properties[key])} | {default(model, key)} | {texts[key]} |"
        for key in model.model_fields
    )
    return "\n".join(["| key | takes | default | meaning |", "|---|---|---|---|", *rows])


@pytest.mark.parametrize("section", SECTIONS)
def test_tables_equal_the_models(section: str) -> None:
    """Each section's table holds exactly the model's keys, bounds, defaults and meanings."""
    text = DOCS.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    assert table(SECTIONS[section]) in rows, f"print it again: {table(SECTIONS[section])}"

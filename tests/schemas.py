"""The JSON Schemas of a run's files, made from the types that the code uses; ``python -m tests.schemas`` prints them into docs/schemas."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import TypeAdapter

from coldaisle_analysis.evaluation.metrics import MetricsRow

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"
TYPES: dict[str, Any] = {"metrics": list[MetricsRow]}
"""By name of a file, without its ending: the type of what it holds."""


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a file; objects take no other keys than those it names."""
    made = TypeAdapter(TYPES[name]).json_schema(mode="serialization")
    for definition in [made, *made.get("$defs", {}).values()]:
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
    return {"$schema": Draft202012Validator.META_SCHEMA["$id"], **made}


def path(name: str) -> Path:
    """Return where the schema of a file is printed."""
    return FOLDER / f"{name}.schema.json"


def text(name: str) -> str:
    """Return the printed form of a schema."""
    return json.dumps(schema(name), indent=1) + "\n"


def validate(name: str, value: object) -> None:
    """Raise ``jsonschema.ValidationError`` where a value breaks the printed schema of a file."""
    Draft202012Validator(json.loads(path(name).read_text(encoding="utf-8"))).validate(value)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file in TYPES:
        path(file).write_text(text(file), encoding="utf-8")

"""docs/schemas has a JSON Schema of each file that others may read, printed by ``python -m tests.analysis.test_schemas``."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import TypeAdapter
from typing_extensions import TypedDict, get_original_bases

from coldaisle_analysis.campaign.results import (
    CampaignMetrics,
    Cost,
    KindRow,
    LearningPoint,
    ModelRow,
    Scores,
    TransferRow,
)
from coldaisle_analysis.earliness.chains import ChainEarliness
from coldaisle_analysis.earliness.per_kind import KindEarliness
from coldaisle_analysis.evaluation.counts import Intervals
from coldaisle_analysis.evaluation.metrics import (
    AlarmMetrics,
    BudgetMetrics,
    CaseMetrics,
    CaseRow,
    MetricsRow,
    PolicyMetrics,
)
from coldaisle_analysis.judging.scoring import JudgedRow
from coldaisle_analysis.weeks.splits import SubsetFile
from coldaisle_contracts.journal_lines import KEYS, Line
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Plan

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
TYPES: dict[str, Any] = {
    "manifest.json": Manifest,
    "plan.json": Plan,
    "journal.json": Line,
    "metrics.json": list[CaseRow | MetricsRow],
    "judged.json": list[JudgedRow],
    "split.json": SubsetFile,
    "campaign-metrics.json": CampaignMetrics,
}
"""The type of each file, or of each of its lines, by the name of the schema."""
METRICS = (
    CampaignMetrics,
    ModelRow,
    LearningPoint,
    KindRow,
    TransferRow,
    Scores,
    Cost,
    CaseRow,
    MetricsRow,
    JudgedRow,
    CaseMetrics,
    PolicyMetrics,
    BudgetMetrics,
    AlarmMetrics,
    Intervals,
    KindEarliness,
    ChainEarliness,
)
"""The types that the rows of the metrics consist of."""
ATTRIBUTES = "\n\nAttributes:\n"


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a file."""
    schema = TypeAdapter(TYPES[name]).json_schema()
    if name == "journal.json":
        for line in get_args(Line):
            add_event(schema["$defs"][line.__name__], line.event)
    if name in ("metrics.json", "judged.json", "campaign-metrics.json"):
        for metrics in METRICS:
            if metrics.__name__ not in schema["$defs"]:
                continue
            part = schema["$defs"][metrics.__name__]
            more = "\n".join([*attributes(metrics), *attributes(AlarmMetrics)])
            part["description"] = f"{part['description'].partition(ATTRIBUTES)[0]}{ATTRIBUTES}{more}"
            part["additionalProperties"] = False
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            describe(part)
    return {"$schema": Draft202012Validator.META_SCHEMA["$id"], **schema}


def add_event(line: dict[str, Any], event: str) -> None:
    """Add ``event`` and ``shard``, which a journal adds to a line, to its schema, and describe its keys."""
    for key, part in line["properties"].items():
        part["description"] = KEYS[key]
    shard = {"type": "string", "description": "days of the run that the line belongs to, such as day-1"}
    line["properties"] = {"event": {"const": event}, "shard": shard, **line["properties"]}
    line["required"] = list(line["properties"])
    line["additionalProperties"] = False


def attributes(metrics: Any) -> Iterator[str]:
    """Yield the descriptions of attributes in the docstrings of a type of metrics and of its base types."""
    yield inspect.cleandoc(metrics.__doc__ or "").partition(ATTRIBUTES)[2]
    for base in get_original_bases(metrics):
        if base is not TypedDict:
            yield from attributes(base)


def describe(part: dict[str, Any]) -> None:
    """Move the description of each attribute from the docstring to the schema of the attribute, and remove pydantic's titles."""
    for value in part["properties"].values():
        value.pop("title", None)
    text, _, entries = part.get("description", "").partition(ATTRIBUTES)
    part["description"] = " ".join(text.replace("``", "").split())
    for entry in entries.replace("\n        ", " ").splitlines():
        key, _, meaning = entry.strip().partition(": ")
        if key in part["properties"]:
            part["properties"][key]["description"] = meaning.replace("``", "").removesuffix(".")


def printed(name: str) -> str:
    """Return the text of a schema's file."""
    return json.dumps(schema_of(name), indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", TYPES)
def test_schemas_equal_the_types(name: str) -> None:
    """Each file of docs/schemas equals the schema of its type, and every property has a description."""
    assert (SCHEMAS / name).read_text(encoding="utf-8") == printed(name), "print the schemas again"
    Draft202012Validator.check_schema(schema_of(name))


def test_no_schema_is_left_over() -> None:
    """The folder has no other schema, and each described key is that of a line."""
    assert {path.name for path in SCHEMAS.iterdir()} == set(TYPES)
    assert set(KEYS) == {
        key for line in get_args(Line) for key in TypeAdapter(line).json_schema()["properties"]
    }


def validate(run: Path) -> None:
    """Check the files of a run against the schemas in docs/schemas."""
    files = {"manifest.json": [run / "manifest.json"], "plan.json": [run / "plan.json"]}
    files["metrics.json"] = list(run.glob("models/metrics.json"))
    files["journal.json"] = list((run / "journal").iterdir())
    for name, paths in files.items():
        validator = Draft202012Validator(json.loads((SCHEMAS / name).read_text(encoding="utf-8")))
        for path in paths:
            text = path.read_text(encoding="utf-8")
            for part in text.splitlines() if name == "journal.json" else [text]:
                error = best_match(validator.iter_errors(json.loads(part)))
                assert error is None, f"{path.name}: {error}"


def test_a_run_made_by_hand_validates(analysed_run: Path) -> None:
    """Manifest, plan, journals and metrics of a finished run conform to the schemas."""
    validate(analysed_run)


def test_a_row_repeats_the_metrics_of_its_first_case() -> None:
    """The type of a row with cases adds exactly the metrics of alarms, with the same types."""
    case_row, row = (get_type_hints(kind, include_extras=True) for kind in (CaseRow, MetricsRow))
    assert case_row.items() - row.items() == get_type_hints(AlarmMetrics, include_extras=True).items()


@pytest.mark.netns
def test_a_run_really_played_validates(hour_run: Path) -> None:
    """The files of a run that every program wrote itself conform to the schemas."""
    validate(hour_run)


if __name__ == "__main__":
    for file in TYPES:
        (SCHEMAS / file).write_text(printed(file), encoding="utf-8")

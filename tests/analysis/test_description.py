"""Croissant metadata and datasheet of a run: mlcroissant accepts them, and they agree with manifest, plan and columns."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import mlcroissant  # type: ignore[import-untyped]
import pandas as pd
import pytest
from tests.analysis import made_run
from tests.analysis.made_manifest import made_manifest
from tests.conftest import HOUSE

from coldaisle_analysis import dataset, metadata, tables
from coldaisle_analysis.columns import LEVELS, Level, columns, names
from coldaisle_analysis.metadata.croissant import KEYS
from coldaisle_analysis.metadata.croissant import croissant as croissant_of
from coldaisle_analysis.metadata.datasheet import SECTIONS, datasheet
from coldaisle_analysis.metadata.facts import Facts
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.manifest import Manifest, digest_of, instant, sha256_of
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario, load_scenario

pytestmark = pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated", "ignore:The inplace keyword in DataFrame.reset_index"
)  # mlcroissant's own
CHECKS = [
    {
        "id": "A1",
        "value": 0,
        "threshold": 0,
        "status": "ok",
        "sentence": "no stamp lies before the one in front of it",
    },
    {
        "id": "C3",
        "value": 0.9,
        "threshold": 0.99,
        "status": "look",
        "sentence": "a port alone tells attacks apart",
    },
]


@pytest.fixture(scope="module")
def manifest() -> list[Manifest]:
    """Return a list that will hold the manifest of the run."""
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, manifest: list[Manifest]) -> Path:
    """Return a run made by hand and audited, with its metadata and datasheet."""
    folder = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(folder)
    dataset.write(dataset.build(folder), folder / "dataset")
    manifest.append(made_manifest(folder))
    manifest[0].save(folder)
    metadata.write_metadata(folder, manifest[0])
    metadata.write_datasheet(folder, manifest[0], CHECKS, folder)
    return folder


@pytest.fixture(scope="module")
def croissant(run: Path) -> dict[str, Any]:
    """Return the Croissant metadata of the run."""
    content: dict[str, Any] = json.loads((run / "croissant.json").read_text())
    return content


def test_benign_anomalies_are_counted_apart(run: Path, manifest: list[Manifest]) -> None:
    """Metadata and datasheet state how many episodes of the plan are attacks, and name both journals as sources of the labels."""
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48,
                "drawn": {"count": 5, "readings": (2, 3), "kinds": {"removal": 3, "door": 2}}}  # fmt: skip
    played = replace(Facts.of(run, manifest[0]), plan=build_plan(Scenario.model_validate(scenario)))
    description = croissant_of(played)["description"]
    assert (
        "5 anomalies, 2 of them benign; each frame and reading labelled from the journals of the attacker and of the units"
        in description
    )
    assert "are attacks, in 3 episodes; 2 further episodes are benign anomalies" in datasheet(played)


def test_the_setting_has_every_dialect_and_device(run: Path, manifest: list[Manifest]) -> None:
    """Metadata say which versions of MQTT the units speak, and what stands beside them."""
    plan = build_plan(load_scenario(HOUSE / "scenarios" / "datacentre.toml"))
    setting = replace(Facts.of(run, manifest[0]), plan=plan).setting
    assert "over MQTT 3.1, 3.1.1, 5, for 2 h" in setting
    assert setting.endswith("beside 9 companions and 2 workstations")
    assert "over MQTT 3.1, for" in Facts.of(run, manifest[0]).setting


def test_mlcroissant_finds_nothing_wrong(run: Path) -> None:
    """The reference implementation, mlcroissant, reads the metadata as version 1.1 without an error or a warning."""
    metadata = mlcroissant.Dataset(str(run / "croissant.json")).metadata
    assert metadata.ctx.issues.errors == set()
    assert metadata.ctx.issues.warnings == set()
    assert metadata.ctx.is_v1_1()


@pytest.mark.parametrize("level", LEVELS)
def test_records_load(run: Path, level: Level) -> None:
    """The library mlcroissant loads every record of each level, with the names of the columns and the values of the table."""
    table = tables.read_level(run, level)
    records = list(mlcroissant.Dataset(str(run / "croissant.json")).records(record_set=level))
    assert len(records) == len(table)
    assert [name.removeprefix(f"{level}/") for name in records[0]] == names(level)
    assert [record[f"{level}/label"] for record in records] == table["label"].tolist()
    kinds = [record[f"{level}/kind"].decode() for record in records]
    assert kinds == table["kind"].tolist()
    for column in columns(level):
        if column.dtype.lower().startswith("int"):  # exact to the last ns, missing ones too
            values = [None if pd.isna(value) else int(value) for value in table[column.name]]
            assert [record[f"{level}/{column.name}"] for record in records] == values, column.name


def test_required_properties(croissant: dict[str, Any]) -> None:
    """Every property that Croissant 1.1 requires is there, and the metadata name the versions they conform to."""
    required = {
        "@context",
        "@type",
        "conformsTo",
        "description",
        "license",
        "name",
        "url",
        "creator",
        "datePublished",
    }
    assert required <= set(croissant)
    assert "http://mlcommons.org/croissant/1.1" in croissant["conformsTo"]
    assert "http://mlcommons.org/croissant/RAI/1.0" in croissant["conformsTo"]


def test_responsible_ai_properties_are_known_to_mlcroissant(run: Path, croissant: dict[str, Any]) -> None:
    """The library mlcroissant reads each property of the RAI vocabulary and writes it again."""
    properties = {name for name in croissant if name.startswith("rai:")}
    assert len(properties) > 15
    read = mlcroissant.Dataset(str(run / "croissant.json")).metadata.to_json()
    assert properties <= set(read)
    assert read["rai:personalSensitiveInformation"]


def test_files_are_the_manifests(run: Path, croissant: dict[str, Any], manifest: list[Manifest]) -> None:
    """Every file of the manifest, and the manifest itself, is a file object with its hash and size."""
    listed = {file["contentUrl"]: file for file in croissant["distribution"]}
    hashes = {**manifest[0].files, "manifest.json": digest_of(run)}
    assert {name: file["sha256"] for name, file in listed.items()} == hashes
    for name, file in islice(listed.items(), 10):
        assert file["contentSize"] == f"{(run / name).stat().st_size} B"


@pytest.mark.parametrize("level", LEVELS)
def test_fields_are_the_columns(run: Path, croissant: dict[str, Any], level: Level) -> None:
    """There is one field per column, with its meaning and unit; the key is unique for each row."""
    (record_set,) = (entry for entry in croissant["recordSet"] if entry["@id"] == level)
    for field, column in zip(record_set["field"], columns(level), strict=True):
        assert field["name"] == column.name
        assert column.meaning in field["description"]
        assert not column.unit or f"Unit: {column.unit}." in field["description"]
    assert not tables.read_level(run, level).duplicated(list(KEYS[level])).any()


@pytest.fixture(scope="module")
def published(run: Path, manifest: list[Manifest], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the run, described, whose scenario names its publisher."""
    folder = Path(shutil.copytree(run, tmp_path_factory.mktemp("published") / "made"))
    plan = json.loads((folder / "plan.json").read_text())
    plan["scenario"]["publish"] = {
        "authors": [
            {"name": "Ada Lovelace", "affiliation": "Analytical Society", "orcid": "0000-0002-1825-0097"},
            {"name": "Bob {the} Builder"},
        ],
        "licence": "CC-BY-4.0",
        "title": "Cold aisle, hour one",
        "version": "1.2.0",
        "year": 2027,
        "publisher": "Zenodo",
        "doi": "10.5281/zenodo.1234567",
        "contact": "ada@example.org",
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    fresh = manifest[0].model_copy(
        update={"files": {**manifest[0].files, "plan.json": sha256_of(folder / "plan.json")}}
    )
    fresh.save(folder)
    metadata.write_metadata(folder, fresh)
    metadata.write_datasheet(folder, fresh, CHECKS, folder)
    return folder


def test_who_publishes_a_run_is_named(published: Path) -> None:
    """Authors, licence, DOI and version of the scenario are in the metadata, which mlcroissant reads without a warning."""
    metadata = mlcroissant.Dataset(str(published / "croissant.json")).metadata
    assert (metadata.ctx.issues.errors, metadata.ctx.issues.warnings) == (set(), set())
    assert [creator.name for creator in metadata.creators] == ["Ada Lovelace", "Bob {the} Builder"]
    assert metadata.license == ["https://spdx.org/licenses/CC-BY-4.0"]
    assert (metadata.name, metadata.version) == ("Cold aisle, hour one", "1.2.0")
    assert metadata.url == "https://doi.org/10.5281/zenodo.1234567"
    assert metadata.publisher[0].name == "Zenodo"
    assert metadata.date_published.year == 2027
    cited = "author = {{Ada Lovelace} and {Bob the Builder}}, title = {Cold aisle, hour one}, year = {2027}"
    assert cited in metadata.cite_as
    assert "doi = {10.5281/zenodo.1234567}" in metadata.cite_as


def test_the_datasheet_says_who_publishes_a_run(run: Path, published: Path) -> None:
    """The datasheet has authors, licence, place and contact of the scenario, or coldaisle's own if there are none."""
    text = (published / "DATASHEET.md").read_text()
    assert (
        "Ada Lovelace (Analytical Society, ORCID 0000-0002-1825-0097), Bob {the} Builder, with coldaisle"
        in text
    )
    assert "**Licence.** CC-BY-4.0 (https://spdx.org/licenses/CC-BY-4.0)." in text
    assert "**Where.** Zenodo, https://doi.org/10.5281/zenodo.1234567." in text
    assert "**Contact.** ada@example.org" in text
    plain = (run / "DATASHEET.md").read_text()
    assert "**Licence.** MIT, as coldaisle itself." in plain
    assert f"sha256 `{digest_of(run)}`" in plain


def test_the_datasheet_has_the_sections_and_the_figures(run: Path) -> None:
    """The datasheet has eight sections in order: rows of every level, every kind with its technique, and the audit's findings."""
    text = (run / "DATASHEET.md").read_text()
    heads = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert heads == list(SECTIONS)
    assert len(heads) == 8
    for level in LEVELS:
        assert f"| {len(tables.read_level(run, level)):,} | {len(columns(level))} |" in text
    for kind in ("modification", "removal", "interception", "duplication"):
        assert f"| {kind} | on the path | {KINDS[kind].technique} | 1 |" in text
    for check in CHECKS:
        assert f"| {check['id']} | {check['status']} | {check['sentence']} |" in text
    assert [line[:14] for line in text.splitlines() if "{" in line] == ["**To cite it.*"]


def test_without_an_audit_nothing_is_said_of_one(run: Path, tmp_path: Path, manifest: list[Manifest]) -> None:
    """Without an audit there is no table of findings, and the clocks are described only if they are known."""
    metadata.write_datasheet(run, manifest[0], [], tmp_path)
    text = (tmp_path / "DATASHEET.md").read_text()
    assert "Audit" not in text
    assert "**When.**" not in text


def test_a_time_in_ns_is_an_instant() -> None:
    """A time in ns becomes a date and time in UTC, in whole microseconds and not rounded up."""
    assert instant(1_772_406_000_123_456_999) == pd.Timestamp("2026-03-01T23:00:00.123456Z")

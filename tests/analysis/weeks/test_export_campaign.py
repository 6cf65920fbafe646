"""The export of a campaign: one data set of many weeks, whole or not at all, that other tools read."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import mlcroissant  # type: ignore[import-untyped]
import pandas as pd
import polars as pl
import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.analysis import made_campaign
from tests.conftest import HOUSE
from tests.testbed import made_finished

from coldaisle_analysis import load_campaign
from coldaisle_analysis.columns import LEVELS, Level, columns, markdown
from coldaisle_analysis.weeks import export as exporting
from coldaisle_analysis.weeks.datasheet import SECTIONS
from coldaisle_analysis.weeks.export import export
from coldaisle_analysis.weeks.exported import Exported
from coldaisle_analysis.weeks.facts import publisher
from coldaisle_analysis.weeks.splits import ROLES, SubsetFile
from coldaisle_contracts.campaign import CAMPAIGN, SCENARIOS, Size
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest, digest_of, sha256_of

pytestmark = pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated", "ignore:The inplace keyword in DataFrame.reset_index"
)  # mlcroissant's own
PUBLISH = """[publish]
licence = "cc-by-4.0"
title = "Made weeks"
doi = "10.5281/zenodo.1234567"
[[publish.authors]]
name = "Ada Lovelace"
affiliation = "Analytical Engines"
orcid = "0000-0002-1825-0097"
"""


def _exported(campaign: Path, out: Path | None, size: Size = "L") -> Exported:
    return export(campaign, size, out, lambda _: None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run made by hand; read only."""
    return made_finished.make(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> Path:
    """Return a campaign of four weeks whose scenario says who publishes it; read only."""
    return made_campaign.make(tmp_path_factory.mktemp("made") / "made", finished, publish=PUBLISH)


@pytest.fixture(scope="module")
def exported(campaign: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Return its export; read only."""
    return _exported(campaign, tmp_path_factory.mktemp("exports") / "made-L")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> Exported:
    """Return the export of a campaign of which two weeks were played, and whose scenario has no table ``[publish]``."""
    campaign = made_campaign.make(tmp_path_factory.mktemp("made") / "small", finished, played=(1, 3))
    return _exported(campaign, None)


def _parquet(folder: Path, level: str) -> Iterator[str]:
    for path in sorted((folder / level).rglob("*.parquet")):
        yield path.relative_to(folder).as_posix()


@pytest.mark.parametrize("level", LEVELS)
def test_rows_are_those_of_the_campaign(campaign: Path, exported: Exported, level: Level) -> None:
    """``load_campaign`` loads the same rows, columns and dtypes of the export as of the campaign's folder, in the same order."""
    ours, theirs = (
        load_campaign(folder, level=level, as_frame=True) for folder in (campaign, exported.folder)
    )
    plain = {name: "object" for name in ours.frame if ours.frame[name].dtype == "category"}
    pd.testing.assert_frame_equal(ours.frame.astype(plain), theirs.frame.astype(plain))
    assert ours.groups.tolist() == theirs.groups.tolist()
    assert len(ours.frame) == exported.facts.rows[level] > 0
    assert ours.frame["label"].sum() == exported.facts.attacks[level]


def test_duckdb_polars_and_pandas_read_the_folder(exported: Exported) -> None:
    """Each of them restores subset, week and day from the names of the folders, and counts the same attacks."""
    rows = load_campaign(exported.folder, level="packets", as_frame=True).frame
    expected = rows.astype({"week": "object"}).groupby("week")["label"].sum().to_dict()
    place = exported.folder / "packets"
    query = f"SELECT week, sum(label)::INT FROM '{place}/**/*.parquet' WHERE day = 1 GROUP BY week"  # noqa: S608 - our own folder
    assert dict(duckdb.execute(query).fetchall()) == expected
    assert {field[0] for field in duckdb.execute(f"DESCRIBE FROM '{place}/**/*.parquet'").fetchall()} >= {
        "subset", "week", "day", "groups",
    }  # fmt: skip
    lazy = pl.scan_parquet(place).group_by("week").agg(pl.col("label").sum())
    assert dict(lazy.collect().iter_rows()) == expected
    frame = pd.read_parquet(place)
    assert frame.astype({"week": "object"}).groupby("week")["label"].sum().to_dict() == expected
    assert set(frame["subset"]) == set(ROLES)
    assert str(frame["mqtt_msgid"].dtype) == "Int32"  # whole numbers stay whole where some are missing


def test_the_split_is_frozen(campaign: Path, exported: Exported, tmp_path: Path) -> None:
    """Each file names its weeks with the sha256 of their manifests; the id follows from the plans alone."""
    listed = {role: SubsetFile.load(exported.folder, role) for role in ROLES}
    assert {role: [member.seed for member in file.weeks] for role, file in listed.items()} == {
        "train": [1, 2], "validate": [3], "test": [4],
    }  # fmt: skip
    schema = json.loads((HOUSE / "docs" / "schemas" / "split.json").read_text())
    for role, file in listed.items():
        Draft202012Validator(schema).validate(
            json.loads((exported.folder / "splits" / f"{role}.json").read_text())
        )
        assert file.split == exported.facts.split
        for member in file.weeks:
            assert member.manifest == digest_of(made_campaign.week_of(campaign, member.seed))
    again = shutil.copytree(campaign, tmp_path / "again", symlinks=True)
    week = made_campaign.week_of(again, 4)
    Manifest.load(week).model_copy(update={"id": "played-elsewhere"}).save(week)
    elsewhere = _exported(again, tmp_path / "out")
    assert elsewhere.facts.split == exported.facts.split
    assert SubsetFile.load(elsewhere.folder, "test").weeks[0].manifest != listed["test"].weeks[0].manifest
    Manifest.load(week).model_copy(update={"plan_digest": "a" * 64}).save(week)
    assert _exported(again, tmp_path / "other").facts.split != exported.facts.split


def test_the_same_weeks_give_the_same_bytes(campaign: Path, exported: Exported, tmp_path: Path) -> None:
    """An export made again has the same files with the same sha256."""
    again = _exported(campaign, tmp_path / "again")
    for name in ("SHA256SUMS", "croissant.json"):
        assert (again.folder / name).read_bytes() == (exported.folder / name).read_bytes()


def test_checksums_cover_every_file(exported: Exported) -> None:
    """``sha256sum`` agrees with every line, and only the two files that name the others' sums are not in it."""
    done = subprocess.run(
        ["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"],
        cwd=exported.folder,
        check=False,
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (0, b"")
    listed = {line.partition("  ")[2] for line in (exported.folder / "SHA256SUMS").read_text().splitlines()}
    files = {
        path.relative_to(exported.folder).as_posix() for path in exported.folder.rglob("*") if path.is_file()
    }
    assert files - listed == {"SHA256SUMS", "croissant.json"}
    assert listed < files
    assert exported.size == sum((exported.folder / name).stat().st_size for name in files)
    content = json.loads((exported.folder / "croissant.json").read_text())
    sums = {file["@id"]: file.get("sha256") for file in content["distribution"]}
    assert sums["SHA256SUMS"] == sha256_of(exported.folder / "SHA256SUMS")


def test_mlcroissant_finds_nothing_wrong(exported: Exported) -> None:
    """The reference implementation reads the metadata as version 1.1 without an error or a warning."""
    metadata = mlcroissant.Dataset(str(exported.folder / "croissant.json")).metadata
    assert metadata.ctx.issues.errors == set()
    assert metadata.ctx.issues.warnings == set()
    assert metadata.ctx.is_v1_1()


def test_without_a_licence_only_that_is_missing(small: Exported) -> None:
    """Where no scenario says who publishes it, mlcroissant misses licence and citation, and nothing else."""
    metadata = mlcroissant.Dataset(str(small.folder / "croissant.json")).metadata
    assert metadata.ctx.issues.errors == set()
    missed = {"license", "citeAs"}
    assert {
        warning.partition('"')[2].partition('"')[0].rpartition("/")[2]
        for warning in metadata.ctx.issues.warnings
    } == missed


@pytest.mark.parametrize("level", LEVELS)
def test_records_load(exported: Exported, level: Level) -> None:
    """The library mlcroissant loads the records of every week, with its subset, week and day, and whole numbers exactly."""
    rows = load_campaign(exported.folder, level=level, as_frame=True)
    records = list(mlcroissant.Dataset(str(exported.folder / "croissant.json")).records(record_set=level))
    assert len(records) == len(rows.frame)
    keys = [
        "week",
        "groups",
        *(column.name for column in columns(level) if column.dtype.lower().startswith("int")),
    ]
    frame = rows.frame.assign(groups=rows.groups)
    ours = sorted(
        tuple("" if pd.isna(value) else str(value) for value in row)
        for row in frame[keys].astype("object").to_numpy()
    )
    theirs = sorted(tuple(_text(record[f"{level}/{key}"]) for key in keys) for record in records)
    assert theirs == ours
    assert {_text(record[f"{level}/subset"]) for record in records} == set(ROLES)


def _text(value: Any) -> str:
    return "" if value is None else value.decode() if isinstance(value, bytes) else str(value)


def test_the_card_names_every_file_once(exported: Exported) -> None:
    """The head of the README is YAML with a configuration for each level; its patterns match the files of each subset."""
    head = yaml.safe_load((exported.folder / "README.md").read_text().split("---\n")[1])
    assert head["license"] == "cc-by-4.0"
    assert head["pretty_name"] == "Made weeks"
    assert [config["config_name"] for config in head["configs"]] == list(LEVELS)
    for config in head["configs"]:
        level, matched = config["config_name"], []
        assert [file["split"] for file in config["data_files"]] == ["train", "validation", "test"]
        for file in config["data_files"]:
            matched += [
                path.relative_to(exported.folder).as_posix() for path in exported.folder.glob(file["path"])
            ]
        assert sorted(matched) == list(_parquet(exported.folder, level))


def test_the_code_of_the_readme_runs(exported: Exported) -> None:
    """The examples for DuckDB, Polars and coldaisle run in the folder."""
    blocks = (exported.folder / "README.md").read_text().split("```python\n")[1:]
    names: dict[str, Any] = {}
    with chdir(exported.folder):
        for block in blocks:
            if "load_dataset" not in block:
                exec(compile(block.partition("```")[0], "README.md", "exec"), names)  # noqa: S102 - our own page
    assert names["train"].data.shape == (len(names["train"].target), len(names["train"].feature_names))


def test_what_the_scenario_publishes_is_said_everywhere(exported: Exported) -> None:
    """Licence, authors, title and DOI of the scenario are in licence, citation, record, card and datasheet."""
    folder = exported.folder
    assert "SPDX-License-Identifier: CC-BY-4.0\n" in (folder / "LICENSE").read_text()
    citation = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert (citation["title"], citation["license"]) == ("Made weeks", "CC-BY-4.0")
    assert citation["authors"][0]["orcid"] == "https://orcid.org/0000-0002-1825-0097"
    record = json.loads((folder / ".zenodo.json").read_text())
    author = {"name": "Ada Lovelace", "affiliation": "Analytical Engines", "orcid": "0000-0002-1825-0097"}
    assert record["creators"] == [author]
    assert (record["license"], record["doi"], record["upload_type"]) == (
        "cc-by-4.0",
        "10.5281/zenodo.1234567",
        "dataset",
    )
    assert "CC-BY-4.0: <https://spdx.org/licenses/CC-BY-4.0>" in (folder / "README.md").read_text()
    assert "**Licence.** CC-BY-4.0" in (folder / "DATASHEET.md").read_text()


def test_no_licence_is_invented(small: Exported) -> None:
    """Without a table ``[publish]`` there is no licence and no author anywhere, and one sentence says how to add them."""
    files = {path.name for path in small.folder.iterdir()}
    assert not {"LICENSE", "CITATION.cff"} & files
    assert (
        not {"license", "creators", "access_right"}
        & json.loads((small.folder / ".zenodo.json").read_text()).keys()
    )
    assert (
        not {"license", "creator", "citeAs"}
        & json.loads((small.folder / "croissant.json").read_text()).keys()
    )
    for name in ("README.md", "DATASHEET.md"):
        text = (small.folder / name).read_text()
        assert "No licence is given" in text
        assert not re.search(r"\bMIT\b", text)
    assert any("add a table [publish] to a scenario" in sentence for sentence in small.sentences())


def test_weeks_that_were_not_played_are_named(small: Exported) -> None:
    """Only weeks that were played are in it; the others are named in the sentences, the README and the datasheet."""
    assert [week.member.week for week in small.facts.weeks] == ["made-1", "made-3"]
    assert small.folder.name == "made-L"
    assert small.folder.parent.name == "export"
    first, second, *_ = small.sentences()
    assert "2 weeks (1 train, 1 validate)" in first
    assert f"{small.size / 1e6:,.1f} MB, split {small.facts.split}" in first
    assert second == "not played, and so not in it: made-2, made-4"
    assert "made-2, made-4" in (small.folder / "README.md").read_text()
    assert "2 weeks of the campaign: made-2, made-4" in (small.folder / "DATASHEET.md").read_text()
    with pytest.raises(InputError, match="no week of subset test was played"):
        load_campaign(small.folder, subset="test")


def test_the_datasheet_has_its_sections_and_the_columns_their_page(exported: Exported) -> None:
    """The datasheet has the seven sections, rows and episodes of each subset; ``COLUMNS.md`` has the table of each level."""
    text = (exported.folder / "DATASHEET.md").read_text()
    for title in SECTIONS:
        assert f"\n## {title}\n" in text
    for level, count in exported.facts.rows.items():
        assert f"| {level} |" in text
        assert f"| {count:,} | {exported.facts.attacks[level]:,} |" in text
    assert "| interception | on the path | T0830 | 2 | 1 | 1 |" in text
    page = (exported.folder / "COLUMNS.md").read_text()
    assert all(markdown(level) in page for level in LEVELS)


def test_the_scorecard_is_that_of_the_worst_week(campaign: Path, exported: Exported) -> None:
    """Each check counts all weeks; the checks of the split are in it, and the counts add up."""
    card = json.loads((exported.folder / "SCORECARD.json").read_text())
    of_weeks = [check for check in card["checks"] if not check["id"].startswith("W")]
    single = json.loads((made_campaign.week_of(campaign, 1) / "SCORECARD.json").read_text())
    assert [(check["id"], check["level"]) for check in of_weeks] == [
        (check["id"], check["level"]) for check in single["checks"]
    ]
    assert all(sum(check["weeks"].values()) == 4 for check in of_weeks)
    split = {check["id"]: check["status"] for check in card["checks"] if check["id"].startswith("W")}
    assert split == {"W1": "ok", "W2": "ok", "W3": "look", "W4": "ok"}
    assert sum(card["counts"].values()) == len(card["checks"])


def test_size_s_is_a_part_and_small(campaign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size S has the weeks that the folder's file names; above its bound nothing is written, and the sentence says what to do."""
    copy = shutil.copytree(campaign, tmp_path / "copy", symlinks=True)
    assert [week.member.seed for week in _exported(copy, tmp_path / "s", "S").facts.weeks] == [1, 3, 4]
    file = copy / CAMPAIGN
    file.write_text(file.read_text().replace('S = "1,3-4"', 'S = "1"'))
    assert [week.member.seed for week in _exported(copy, tmp_path / "one", "S").facts.weeks] == [1]
    monkeypatch.setattr(exporting, "SMALL", 10_000)
    with pytest.raises(
        InputError, match=r"--size is 'S': 1 of its 1 weeks come to .* fewer seeds in S, .*campaign\.toml"
    ):
        _exported(copy, tmp_path / "large", "S")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "one", "s"]


@pytest.mark.parametrize("file", ["capture/day-1-000.pcap", "dataset/readings.parquet", "plan.json"])
def test_a_damaged_week_is_refused(campaign: Path, tmp_path: Path, file: str) -> None:
    """A file of a week that is not as it was sealed is named, and nothing is written."""
    copy = shutil.copytree(campaign, tmp_path / "copy", symlinks=True)
    week = made_campaign.week_of(copy, 3)
    name = next(
        name
        for name in Manifest.load(week).files
        if name == file or name.startswith("capture/") == file.startswith("capture/")
    )
    with (week / name).open("ab") as damaged:
        damaged.write(b"\0")
    with pytest.raises(
        InputError, match="not as the week's manifest says: remove the week, and run the campaign again"
    ):
        _exported(copy, tmp_path / "out" / "data")
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_to_export(tmp_path: Path, finished: Path) -> None:
    """A campaign without a played week, a folder that is none, and a folder that holds something are refused."""
    empty = made_campaign.make(tmp_path / "empty", finished, played=())
    with pytest.raises(InputError, match="no week of size L was played: run the campaign first"):
        _exported(empty, None)
    with pytest.raises(InputError, match="it is no campaign"):
        _exported(finished, None)
    one = made_campaign.make(tmp_path / "one", finished, played=(1,))
    with pytest.raises(InputError, match="exists already: name a new folder, or remove it first"):
        _exported(one, one)


def test_scenarios_agree_on_who_publishes(tmp_path: Path) -> None:
    """One scenario may say it for all; two that differ are refused, and so is an unknown licence."""
    (tmp_path / SCENARIOS).mkdir()
    for name, table in (
        ("a", PUBLISH),
        ("b", "seed = 1"),
        ("c", PUBLISH.replace("Ada", "Bee")),
        ("d", '[publish]\nlicence = "mine"\nauthors = [{name = "Ada"}]'),
    ):
        (tmp_path / SCENARIOS / f"{name}.toml").write_text(table)
    publish = publisher(tmp_path, ["a", "b"])
    assert publish is not None
    assert publish.licence == "CC-BY-4.0"
    assert publisher(tmp_path, ["b"]) is None
    with pytest.raises(InputError, match=r"c\.toml: table publish: it differs from that of a\.toml"):
        publisher(tmp_path, ["a", "b", "c"])
    with pytest.raises(InputError, match="SPDX has no such licence"):
        publisher(tmp_path, ["d"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "splits/train.json").write_text("{}"), r"train\.json: key split: add it"),
        (lambda folder: (folder / "splits/train.json").unlink(), r"train\.json"),
        (lambda folder: shutil.copy(folder / "splits/test.json", folder / "splits/train.json"), "key subset is 'test': export"),
        (lambda folder: next((folder / "readings/subset=train").rglob("day=1")).rename(folder / "readings/subset=train/week=made-1/day=x"), "day=x: such a folder is not of an export"),
        (lambda folder: next((folder / "readings/subset=train").rglob("*.parquet")).write_bytes(b"PAR1"), "missing or is no Parquet"),
    ],
)  # fmt: skip
def test_a_damaged_export_is_refused(exported: Exported, tmp_path: Path, damage: Any, message: str) -> None:
    """What is damaged in an export is named with the remedy."""
    copy = shutil.copytree(exported.folder, tmp_path / "copy")
    damage(copy)
    with pytest.raises(InputError, match=message):
        load_campaign(copy, level="readings", subset="train")


def test_weeks_are_read_one_at_a_time(campaign: Path, tmp_path: Path) -> None:
    """A line of progress comes with each week, and whatever was written of a week before is on the disk by then."""
    lines, written = [], []

    def progress(line: str) -> None:
        lines.append(line)
        written.append(len(list(tmp_path.rglob("part.parquet"))))

    export(campaign, "L", tmp_path / "out", progress)
    assert lines == [f"made-{seed} ({seed} of 4)" for seed in (1, 2, 3, 4)]
    assert written == [week * written[1] for week in range(4)]
    assert written[1] >= len(LEVELS) - 1

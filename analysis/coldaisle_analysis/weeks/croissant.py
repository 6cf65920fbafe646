"""Croissant 1.1 metadata of an exported campaign: each level is one record set over the files of all weeks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coldaisle_analysis.columns import LEVELS, Level
from coldaisle_analysis.metadata import responsible
from coldaisle_analysis.metadata.croissant import (
    CONFORMS_TO,
    CONTEXT,
    KEYWORDS,
    bibtex,
    file_object,
    published,
    record_set,
)
from coldaisle_analysis.weeks.facts import CampaignFacts
from coldaisle_analysis.weeks.partitions import GROUPS
from coldaisle_contracts.manifest import sha256_of

_ROLES = {"train": "cr:TrainingSplit", "validate": "cr:ValidationSplit", "test": "cr:TestSplit"}
"""Croissant's names of the subsets."""
_PLACED = {
    "subset": ("train, validate or test", "sc:Text", r".*/subset=([^/]+)/.*"),
    "week": ("name of the week, from its scenario and seed", "sc:Text", r".*/week=([^/]+)/.*"),
    "day": ("day of the week's run, from 1", "sc:Integer", r".*/day=([0-9]+)/.*"),
}
"""What the path of a file says of its rows: meaning, type, and the part of the path."""


def croissant(facts: CampaignFacts, folder: Path, files: Sequence[str]) -> dict[str, Any]:
    """Return the metadata of an exported campaign as JSON-LD.

    Args:
        facts: the campaign.
        folder: folder of the data set.
        files: paths of the files beside the rows, relative to it; each is described with its sha256.
    """
    weeks = f"{len(facts.weeks)} weeks of the scenarios {', '.join(facts.settings)}"
    publication = published(facts.publish, facts.created, facts.version) if facts.publish else {"url": "./"}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": facts.title,
        "description": f"Labelled IoT traffic of a virtual data-centre cold aisle: {weeks}, {facts.kinds().total():,} anomalies; each "
        f"frame and reading labelled from the journals of the attacker and of the units. Split {facts.split}.",
        "datePublished": facts.released,
        "version": facts.version,
        **publication,
        "dateCreated": facts.created.isoformat(),
        "isLiveDataset": False,
        "inLanguage": "en",
        "keywords": [*KEYWORDS, *facts.techniques],
        **({"citeAs": citation(facts)} if facts.publish else {}),
        **responsible.properties(", ".join(facts.made_by), facts.tools, facts.captured),
        "rai:dataCollectionRawData": "Not in this data set: the runs of the campaign hold captures and journals.",
        "distribution": [
            *(file_object(name, sha256_of(folder / name), (folder / name).stat().st_size) for name in files),
            *(_file_set(level) for level in LEVELS if facts.rows[level]),
        ],
        "recordSet": [_subsets(facts), *(_record_set(level) for level in LEVELS if facts.rows[level])],
    }


def citation(facts: CampaignFacts) -> str:
    """Return the citation of the data set as BibTeX, empty where nobody publishes it."""
    if facts.publish is None:
        return ""
    return bibtex(facts.publish, facts.key, facts.title, facts.year, f"split {facts.split}")


def _file_set(level: Level) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files-of-{level}",
        "name": f"files-of-{level}",
        "description": f"Level {level}, a file for each week and day; SHA256SUMS has the sha256 of each.",
        "encodingFormat": "application/x-parquet",
        "includes": f"{level}/*/*/*/part.parquet",
    }


def _subsets(facts: CampaignFacts) -> dict[str, Any]:
    """Return the record set of the subsets.

    No field refers to it: mlcroissant 1.1 joins over a reference, and then has lost the path from which week and day follow.
    """
    rows = [{"subsets/name": role, "subsets/url": _ROLES[role]} for role in facts.subsets]
    fields = [
        {"@type": "cr:Field", "@id": f"subsets/{name}", "name": name, "dataType": kind}
        for name, kind in (("name", "sc:Text"), ("url", "sc:URL"))
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "subsets",
        "name": "subsets",
        "description": "The subsets of the frozen split; each is whole weeks.",
        "dataType": "cr:Split",
        "key": [{"@id": "subsets/name"}],
        "field": fields,
        "data": rows,
    }


def _record_set(level: Level) -> dict[str, Any]:
    files = {"fileSet": {"@id": f"files-of-{level}"}}
    rows = record_set(level, files)
    placed = [_placed(level, name) for name in _PLACED]
    columns = [field for field in rows["field"] if field["name"] not in _PLACED]
    keys = [{"@id": f"{level}/week"}, *rows["key"]]
    return rows | {"key": keys, "field": [*placed, *columns, _groups(level, files)]}


def _placed(level: Level, name: str) -> dict[str, Any]:
    meaning, kind, pattern = _PLACED[name]
    source = {
        "fileSet": {"@id": f"files-of-{level}"},
        "extract": {"fileProperty": "fullpath"},
        "transform": {"regex": pattern},
    }
    return {
        "@type": "cr:Field",
        "@id": f"{level}/{name}",
        "name": name,
        "description": f"{meaning}, as the folder of the file says",
        "dataType": kind,
        "source": source,
    }


def _groups(level: Level, files: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{level}/{GROUPS}",
        "name": GROUPS,
        "description": "what a split must not divide: week and episode, or week, day and quarter of the day",
        "dataType": "sc:Text",
        "source": {**files, "extract": {"column": GROUPS}},
    }

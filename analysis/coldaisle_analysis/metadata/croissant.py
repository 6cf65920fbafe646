"""Croissant 1.1 metadata of a run (mlcommons.org/croissant), with the properties of its RAI vocabulary 1.0.

Each level is a record set, read from its Parquet file. Each column is a field, from :mod:`columns`. Each file of the manifest, and
the manifest itself, is a file object with its hash.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from coldaisle_analysis.columns import LEVELS, Column, Level, columns_of_run
from coldaisle_analysis.metadata import responsible
from coldaisle_analysis.metadata.facts import OWN, ROWS, Facts
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_contracts.publish import ORCID, Author, Publish

KEYWORDS = ("IoT", "MQTT", "intrusion detection", "anomaly detection", "network traffic")
CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
KEYS: dict[Level, tuple[str, ...]] = {
    "packets": ("frame",),
    "messages": ("message",),
    "readings": ("client_id", "slot"),
    "flows": ("flow",),
    "windows": ("client_id", "window"),
}
"""Columns that identify a row of each level."""
_TERMS = (
    "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject",
    "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
    "transform",
)  # fmt: skip
"""Croissant's own terms."""
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
_FORMATS = {
    ".parquet": "application/x-parquet",
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".pcap": "application/vnd.tcpdump.pcap",
    ".html": "text/html",
    ".md": "text/markdown",
}


def croissant(facts: Facts) -> dict[str, Any]:
    """Return the metadata of a run as JSON-LD; paths are relative to its folder."""
    manifest = facts.manifest
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": facts.publish.title or manifest.id,
        "description": f"Labelled IoT traffic of a virtual data-centre cold aisle: {facts.setting}; "
        f"{len(facts.plan.episodes)} anomalies, {facts.benign} of them benign; each frame and reading labelled from the journals of the "
        f"attacker and of the units. Scenario "
        f"{manifest.scenario}, seed {manifest.seed}, made by {facts.manifest.made_by}.",
        **published(facts.publish, manifest.created, manifest.versions.get("coldaisle", "0.0.0")),
        "dateCreated": manifest.created.isoformat(),
        "isLiveDataset": False,
        "inLanguage": "en",
        "keywords": [*KEYWORDS, *facts.techniques],
        "citeAs": citation(facts),
        **responsible.properties(manifest.made_by, facts.tools, responsible.time_frame(manifest.clocks)),
        "distribution": [
            file_object(name, digest, facts.sizes[name])
            for name, digest in (*sorted(manifest.files.items()), (MANIFEST, facts.digest))
        ],
        "recordSet": [
            record_set(
                level,
                {"fileObject": {"@id": f"dataset/{level}.parquet"}},
                facts.columns_of(level),
            )
            for level in LEVELS
        ],
    }


def published(publish: Publish, created: datetime, version: str) -> dict[str, Any]:
    """Return publisher, licence, date and version of a data set.

    Args:
        publish: who publishes it.
        created: when it was made.
        version: the version of the coldaisle that made it, which is its own where it has none.
    """
    year = publish.year or created.year
    creators = [_creator(author) for author in publish.authors]
    properties: dict[str, Any] = {
        "url": publish.url or publish.doi_url or "./",
        "license": publish.terms,
        "creator": creators if len(creators) > 1 else creators[0],
        "datePublished": f"{created:%Y-%m-%d}" if year == created.year else str(year),
        "version": publish.version or version,
        "publisher": _organization(publish.publisher),
        "sameAs": publish.doi_url,
    }
    return _present(properties)


def _creator(author: Author) -> dict[str, Any]:
    if author in OWN.authors:
        return _organization(author.name)
    person: dict[str, Any] = {
        "@type": "sc:Person",
        "name": author.name,
        "url": f"{ORCID}{author.orcid}" if author.orcid else "",
        "affiliation": _organization(author.affiliation),
    }
    return _present(person)


def _organization(name: str | None) -> dict[str, str]:
    return {"@type": "sc:Organization", "name": name} if name else {}


def _present(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that have a value."""
    return {name: value for name, value in properties.items() if value}


def citation(facts: Facts) -> str:
    """Return the citation of the data set as BibTeX."""
    manifest = facts.manifest
    note = f"scenario {manifest.scenario}, seed {manifest.seed}, semantic digest {manifest.semantic_digest}"
    return bibtex(facts.publish, manifest.id, facts.title, facts.year, note)


def bibtex(publish: Publish, key: str, title: str, year: int, note: str) -> str:
    """Return a citation as BibTeX.

    Args:
        publish: who publishes the data set.
        key: the key of the entry.
        title: title of the data set.
        year: year of publication.
        note: what identifies the data.
    """
    fields = {
        "author": " and ".join(f"{{{_bare(author.name)}}}" for author in publish.authors),
        "title": _bare(title),
        "year": str(year),
        "version": publish.version,
        "publisher": _bare(publish.publisher or ""),
        "doi": publish.doi,
        "url": publish.url or publish.doi_url,
        "note": note,
    }
    return f"@misc{{{key}, {', '.join(f'{name} = {{{text}}}' for name, text in _present(fields).items())}}}"


def _bare(text: str) -> str:
    """Return a text without braces, which have a meaning in BibTeX."""
    return re.sub("[{}]", "", text)


def file_object(name: str, digest: str, size: int) -> dict[str, Any]:
    """Return a file as Croissant describes it.

    Args:
        name: its path, relative to the metadata.
        digest: its sha256, hex.
        size: its size in bytes.
    """
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": _FORMATS.get(PurePosixPath(name).suffix, "application/octet-stream"),
        "sha256": digest,
    }


def record_set(level: Level, source: Mapping[str, Any], chosen: Sequence[Column] = ()) -> dict[str, Any]:
    """Return the rows of a level as Croissant describes them.

    Args:
        level: the level.
        source: the file object or file set that the rows are in.
        chosen: its columns in this run; those of every run when left out.
    """
    return {
        "@type": "cr:RecordSet",
        "@id": level,
        "name": level,
        "description": f"Level {level}: one row per {ROWS[level]}.",
        "key": [{"@id": f"{level}/{name}"} for name in KEYS[level]],
        "field": [_field(column, source) for column in chosen or columns_of_run(level)],
    }


def _field(column: Column, source: Mapping[str, Any]) -> dict[str, Any]:
    unit = f" Unit: {column.unit}." if column.unit else ""
    outside = f" Equals {column.outside}." if column.outside else ""
    return {
        "@type": "cr:Field",
        "@id": f"{column.level}/{column.name}",
        "name": column.name,
        "description": f"{column.meaning}. Group: {column.group}.{unit}{outside}",
        "dataType": _data_type(column),
        "source": {**source, "extract": {"column": column.name}},
    }


def _data_type(column: Column) -> str:
    """Return Croissant's name of a column's type.

    mlcroissant reads whole numbers from Parquet exactly, even where some are missing; as floats, times in ns would lose digits.
    """
    if column.numeric:
        return "sc:Integer" if column.dtype.lower().startswith("int") else "sc:Float"
    return "sc:DateTime" if column.dtype.startswith("datetime") else "sc:Text"

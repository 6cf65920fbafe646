"""The files with which an exported campaign is published: licence, citation, and the record's metadata for Zenodo."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coldaisle_analysis.metadata.croissant import KEYWORDS
from coldaisle_analysis.weeks.facts import CampaignFacts
from coldaisle_contracts.publish import Author, Publish, is_url

LICENCE, CITATION, ZENODO = "LICENSE", "CITATION.cff", ".zenodo.json"


def write(facts: CampaignFacts, folder: Path) -> None:
    """Write what is known: licence and citation only where a scenario says who publishes the data set, and under which terms.

    Args:
        facts: the campaign.
        folder: folder of the data set.

    Raises:
        OSError: if the folder cannot be written to.
    """
    record = json.dumps(zenodo(facts), indent=1, ensure_ascii=False)
    (folder / ZENODO).write_text(record + "\n", encoding="utf-8")
    if facts.publish is not None:
        (folder / LICENCE).write_text(f"{_spdx(facts.publish)}{facts.publish.terms}\n", encoding="utf-8")
        lines = "".join(f"{line}\n" for line in _citation(facts, facts.publish))
        (folder / CITATION).write_text(lines, encoding="utf-8")


def zenodo(facts: CampaignFacts) -> dict[str, Any]:
    """Return the metadata of a record of Zenodo (developers.zenodo.org, deposit metadata)."""
    publish = facts.publish
    known: dict[str, Any] = {
        "title": facts.title,
        "upload_type": "dataset",
        "description": f"<p>Labelled IoT traffic of a virtual data-centre cold aisle: {len(facts.weeks)} weeks of the scenarios "
        f"{', '.join(facts.settings)}. Each frame and reading is labelled from the journals of the attacker and of the units. "
        f"Split {facts.split}. README.md and DATASHEET.md say more.</p>",
        "keywords": list(KEYWORDS),
        "publication_date": facts.released,
        "version": facts.version,
        "language": "eng",
    }
    if publish is not None:
        known |= {"access_right": "open", "creators": [_creator(author) for author in publish.authors]}
        known |= {} if is_url(publish.licence) else {"license": publish.licence.lower()}
        known |= {"doi": publish.doi} if publish.doi else {}
    return known


def _creator(author: Author) -> dict[str, str]:
    known = {"name": author.name, "affiliation": author.affiliation, "orcid": author.orcid}
    return {key: value for key, value in known.items() if value}


def _spdx(publish: Publish) -> str:
    return "" if is_url(publish.licence) else f"SPDX-License-Identifier: {publish.licence}\n"


def _citation(facts: CampaignFacts, publish: Publish) -> Iterator[str]:
    """Yield the lines of a citation file (Citation File Format 1.2.0, in YAML, of which JSON is a part)."""
    content: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this data set, please cite it as below.",
        "type": "dataset",
        "title": facts.title,
        "authors": [_cited(author) for author in publish.authors],
        "version": facts.version,
        "date-released": facts.released if "-" in facts.released else None,
        "doi": publish.doi,
        "url": publish.url,
        ("license-url" if is_url(publish.licence) else "license"): publish.licence,
    }
    for key, value in content.items():
        if value:
            yield f"{key}: {json.dumps(value, ensure_ascii=False)}"


def _cited(author: Author) -> dict[str, str]:
    orcid = author.orcid and f"https://orcid.org/{author.orcid}"
    known = {"name": author.name, "affiliation": author.affiliation, "orcid": orcid}
    return {key: value for key, value in known.items() if value}

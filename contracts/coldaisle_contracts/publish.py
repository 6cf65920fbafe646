"""The publication of a run as a data set: its authors and terms, the table ``[publish]`` of a scenario.

It does not change the run, so the digest of the plan leaves it out.
"""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read_toml
from coldaisle_contracts.validation import Model

SPDX = "https://spdx.org/licenses/"
DOI = "https://doi.org/"
ORCID = "https://orcid.org/"
NO_LICENCE = f"write an SPDX id such as CC-BY-4.0 ({SPDX}), or the address of the licence's text"
"""Remedy for a licence that is neither."""


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("write one line of text")
    return text.strip()


def _web(text: str) -> str:
    if not is_url(text):
        raise ValueError("write a whole address such as https://example.org/data")
    return text


def _licence(text: str) -> str:
    if not is_url(text) and not re.fullmatch(r"[A-Za-z0-9.+-]+", text):
        raise ValueError(NO_LICENCE)
    return text


def _doi(text: str) -> str:
    if not re.fullmatch(r"10\.\d{4,9}/[!-~]+", text):
        raise ValueError("write a DOI without its address, such as 10.5281/zenodo.1234567")
    return text


def _orcid(text: str) -> str:
    """Refuse a text that is no ORCID iD; its last digit checks the others (ISO 7064, MOD 11-2)."""
    digits = text.replace("-", "")
    if re.fullmatch(r"(\d{4}-){3}\d{3}[\dX]", text):
        total = 0
        for digit in digits[:-1]:
            total = (total + int(digit)) * 2
        if "0123456789X"[(12 - total % 11) % 11] == digits[-1]:
            return text
    raise ValueError("write the 16 digits of an ORCID iD, such as 0000-0002-1825-0097")


Line = Annotated[str, Field(max_length=300), AfterValidator(_one_line)]


class Author(Model):
    """Somebody who made the data set.

    Attributes:
        name: name of a person or a group, as a citation shows it.
        affiliation: where they work.
        orcid: their ORCID iD.
    """

    name: Line
    affiliation: Line | None = None
    orcid: Annotated[str, AfterValidator(_orcid)] | None = None


class Publish(Model):
    """Who publishes a run, and how it is cited.

    Attributes:
        authors: who made the data set, in the order of the citation.
        licence: terms of use: an SPDX id, or the address of a text.
        title: title of the data set; made from the run's id when left out.
        version: version of the data set, such as 1.0.0; coldaisle's own when left out.
        year: year of publication; the one the run was made in when left out.
        publisher: who makes it available, such as Zenodo.
        url: where it is found.
        doi: its DOI, from 10. on.
        contact: where to ask about it: an address or a page.
    """

    authors: tuple[Author, ...] = Field(min_length=1)
    licence: Annotated[str, AfterValidator(_licence)]
    title: Line | None = None
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] | None = None
    year: int | None = Field(default=None, ge=1970, le=2200)
    publisher: Line | None = None
    url: Annotated[str, AfterValidator(_web)] | None = None
    doi: Annotated[str, AfterValidator(_doi)] | None = None
    contact: Line | None = None

    @property
    def terms(self) -> str:
        """The address of the licence."""
        return self.licence if is_url(self.licence) else f"{SPDX}{self.licence}"

    @property
    def doi_url(self) -> str:
        """The address of the DOI, empty if there is none."""
        return f"{DOI}{self.doi}" if self.doi else ""


def is_url(text: str) -> bool:
    """Tell whether a text is the address of a page."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname and re.fullmatch(r"[!-~]+", text))


def with_known_licence(publish: Publish, path: Path) -> Publish:
    """Return a table with its licence in the spelling of SPDX.

    Args:
        publish: the table.
        path: its file.

    Raises:
        InputError: if the licence is neither an SPDX id nor an address.
    """
    if is_url(publish.licence):
        return publish
    spelled = spdx_id(publish.licence)
    if spelled is None:
        remedy = f"SPDX has no such licence: {NO_LICENCE}"
        raise InputError(f"{path}: key publish.licence", remedy, publish.licence)
    return publish.model_copy(update={"licence": spelled})


def load_publish(path: Path) -> Publish | None:
    """Read the table ``[publish]`` of a scenario file, and nothing else of it; ``None`` where it has none.

    Raises:
        InputError: if the file is no TOML, or the table is not valid.
    """
    table = read_toml(path, "name a scenario file").get("publish")
    if table is None:
        return None
    return with_known_licence(Publish.check(table, f"{path}: table publish"), path)


def spdx_id(licence: str) -> str | None:
    """Return an SPDX id in the spelling of the SPDX list, ``None`` where the list has no such id."""
    from cyclonedx.spdx import fixup_id  # noqa: PLC0415 - only a program that reads scenarios needs it

    return fixup_id(licence)

"""The TOML file of a site, which a scenario names: ``site = "file.toml"``."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coldaisle_contracts import texts
from coldaisle_contracts.errors import plain
from coldaisle_contracts.site_parameters import Site


def to_toml(site: Site) -> str:
    """Return a site as TOML; its devices are left out where they are the published ones."""
    parameters = site.model_dump(mode="json", exclude={"devices"})
    devices = site.model_dump(mode="json", include={"devices"}, exclude_defaults=True).get("devices", [])
    tables = {name: parameters.pop(name) for name in ("medians", "season")}
    blocks = [_lines(parameters)]
    blocks += [["[[devices]]", *_lines(group)] for group in devices]
    blocks += [[f"[{name}]", *_lines(table)] for name, table in tables.items() if table]
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _lines(table: Mapping[str, Any]) -> list[str]:
    """Return the keys of a table; numbers, texts and lists are written in TOML as in JSON."""
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]


def write(site: Site, comments: Sequence[str], out: Path | None) -> None:
    """Write a site with comments at its head to a file that appears complete, or to standard output.

    Raises:
        InputError: if the file cannot be written.
    """
    text = "".join(f"# {plain(line)}\n" for line in comments) + to_toml(site)
    if out is None:
        sys.stdout.write(text)
        return
    with texts.writable(out, "choose another place"):
        texts.write(out, text)

"""The files that a browser gets: those of others are unchanged, and the colours are those of the report."""

import json
import re

from coldaisle_analysis.report.figures import style
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.manifest import sha256_of
from coldaisle_desk.pages import STATIC

OURS = {"desk.css", "desk.js", "charts.js", "mark.svg", "vendored.json"}


def test_files_of_others_are_unchanged() -> None:
    """Every file that is not ours is listed with package, licence and sha256, and is that file."""
    listed = json.loads((STATIC / "vendored.json").read_text(encoding="utf-8"))
    for entry in listed:
        assert sha256_of(STATIC / entry["file"]) == entry["sha256"]
        assert (STATIC / entry["text"]).stat().st_size > 400
    names = {path.name for path in STATIC.iterdir()}
    assert names == OURS | {entry["file"] for entry in listed} | {entry["text"] for entry in listed}


def test_nothing_is_loaded_from_elsewhere() -> None:
    """Our own files name no other address than the one that SVG has for its name."""
    for name in OURS - {"vendored.json"}:
        addresses = re.findall(r"https?://\S+", (STATIC / name).read_text(encoding="utf-8"))
        assert set(addresses) <= {'xmlns="http://www.w3.org/2000/svg"', 'http://www.w3.org/2000/svg"'}


def test_colours_are_those_of_the_report() -> None:
    """On light paper ink and families have the colours of the report's figures."""
    css = (STATIC / "desk.css").read_text(encoding="utf-8")
    light = dict(re.findall(r"--([\w-]+): (#\w+)", css.partition("@media")[0]))
    assert (light["ink"], light["day"]) == (style.INK, style.DAY_COLOUR)
    families = {kind.family for kind in SHIPPED.values()}
    assert {family: light[family.replace(" ", "-")] for family in families} == {
        family: style.kind_colour(family) for family in families
    }

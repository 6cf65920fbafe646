"""The commands of a site: a line for people, JSON for scripts, a picture, and one sentence for a bad file."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.analysis.made_publishers import capture, unit
from tests.conftest import HOUSE

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site_parameters import load_site
from coldaisle_testbed import cli
from coldaisle_testbed.show import site_picture

HUNDRED = HOUSE / "sites" / "examples" / "hundred.toml"


def _output(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.run(["site", *words])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_check_says_what_a_site_has(capsys: pytest.CaptureFixture[str]) -> None:
    """One line has units, sensors, network and topic."""
    line = _output(capsys, "check", str(HUNDRED))
    assert (
        line
        == f"{HUNDRED}: 25 units with 100 sensors in 198.18.0.0/20, which publish to 21 topics at 198.18.0.1\n"
    )


def test_check_gives_every_unit_to_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has each unit with its addresses, client ids and medians."""
    cli.run(["site", "check", str(HUNDRED), "--json"])
    units = json.loads(capsys.readouterr().out)["units"]
    assert len(units) == 25
    assert (units[0]["name"], units[0]["ip"], units[0]["clients"][0]) == ("crah-01", "198.18.0.100", "w01s1")


def test_show_lists_hosts_and_draws_them(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The table has broker, attacker and units; the picture has a box for each."""
    picture = tmp_path / "hundred.svg"
    shown = _output(capsys, "show", str(HUNDRED), "--svg", str(picture))
    assert all(name in shown for name in ("broker", "injector", "crah-20", "rack-05", "198.18.0.204"))
    boxes = ET.parse(picture).getroot().findall(".//{*}rect[@class]")  # noqa: S314 - our own file
    assert len(boxes) == 25 + 2


def test_a_hall_fits_into_its_picture() -> None:
    """With 256 units every box lies within the picture, and none upon another."""
    root = ET.fromstring(site_picture.svg(load_site(HOUSE / "sites" / "examples" / "hall.toml"), "hall"))  # noqa: S314
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    places = {(float(box.attrib["x"]), float(box.attrib["y"])) for box in root.findall(".//{*}rect[@class]")}
    assert len(places) == 256 + 2
    assert all(0 <= x <= width - 128 and 0 <= y <= height - 46 for x, y in places)


def test_devices_of_every_kind_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Companions and workstations are in the sentence, in the facts and in the picture."""
    file = HOUSE / "sites" / "examples" / "datacentre.toml"
    assert "; beside them 9 companions and 2 workstations" in _output(capsys, "check", str(file))
    cli.run(["site", "check", str(file), "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert {"controller", "dashboard"} < {companion["kind"] for companion in shown["companions"]}
    picture = site_picture.svg(load_site(file), "datacentre")
    assert all(companion["ip"] in picture for companion in shown["companions"])


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_bad_file_is_one_sentence(command: str, tmp_path: Path) -> None:
    """A file that is missing is refused before anything is drawn."""
    with pytest.raises(InputError, match=r"none\.toml: "):
        cli.run(["site", command, str(tmp_path / "none.toml")])


def test_from_makes_a_site_of_a_capture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The file has the unit of the capture, `fit` takes it as a site, and standard output stays empty."""
    made = capture(tmp_path / "made.pcap", unit("10.0.0.5", "row7x", count=100))
    out = tmp_path / "my-site.toml"
    assert _output(capsys, "from", str(made), "--out", str(out)) == ""
    assert list(load_site(out).units) == ["row7x"]
    with pytest.raises(SystemExit) as ended:
        cli.run(["fit", str(made), "--site", str(out)])
    assert ended.value.code == 0
    assert 'name = "row7x"' in capsys.readouterr().out


def test_from_refuses_a_capture_without_units(tmp_path: Path) -> None:
    """The sentence names the capture and what was there instead."""
    made = capture(tmp_path / "made.pcap", unit("10.0.0.5", "row7x")[:2])
    with pytest.raises(InputError, match=r"made\.pcap: holds no unit of four sensors") as refusal:
        cli.run(["site", "from", str(made), "--out", str(tmp_path / "my-site.toml")])
    assert refusal.value.exit_code == 2
    assert not (tmp_path / "my-site.toml").exists()

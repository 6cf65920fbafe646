"""The software bill of materials: valid CycloneDX, the same for the same input, and true to the run's list of software."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.analysis.made_manifest import made_manifest
from typer.testing import CliRunner

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.software import FOLDER, Software
from coldaisle_testbed import bom, locks, provenance
from coldaisle_testbed.cli import app

HOUSE = Path(__file__).resolve().parents[2]
PINS = locks.read(HOUSE / "requirements.lock")
BASE = {"base": "Debian 13.2", "made": "2026-11-17"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run in containers, as far as its bill of materials needs it."""
    made_manifest(tmp_path).save(tmp_path)
    python = {"paho-mqtt": PINS["paho-mqtt"].version, "numpy": "0.0.1", "tzdata": "1"}
    licences = {"paho-mqtt": "EPL-2.0 OR BSD-3-Clause", "numpy": "BSD License"}
    images = {
        "broker": {**BASE, "debian": {"mosquitto": "2.0.21-1+b1", "libc6": "2.41-12"}},
        "ntp": {**BASE, "debian": {"chrony": "4.6.1-3", "libc6": "2.41-12"}},
        "sensors": {**BASE, "debian": {"libc6": "2.41-12"}, "python": python, "licences": licences},
    }
    for name, held in images.items():
        Software.model_validate(held).save(tmp_path / FOLDER / f"{name}.json")
    return tmp_path


def valid(text: str) -> dict[str, Any]:
    """Return a bill after a check with the strict schema of CycloneDX 1.6."""
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problem is None, problem
    return dict(json.loads(text))


def components(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the components of a bill by name."""
    return {component["name"]: component for component in bill["components"]}


def properties(component: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield coldaisle's own properties of a component, without the prefix of their names."""
    for entry in component.get("properties", ()):
        yield entry["name"].removeprefix("coldaisle:"), entry["value"]


def test_the_bill_of_a_run_is_valid_and_names_everything(run: Path) -> None:
    """Base, Debian packages and distributions each occur once, with exact versions, addresses and copyright holders."""
    bill = valid(bom.of_run(run))
    parts = components(bill)
    assert len(bill["components"]) == len(parts) == 7
    assert parts["Debian"]["type"] == "operating-system"
    assert parts["Debian"]["version"] == "13.2"
    assert ("made", "2026-11-17") in properties(parts["Debian"])
    assert parts["mosquitto"]["version"] == "2.0.21-1+b1"
    assert parts["mosquitto"]["purl"] == "pkg:deb/debian/mosquitto@2.0.21-1%2Bb1?distro=debian-13.2"
    assert list(properties(parts["libc6"])) == [("held-by", name) for name in ("broker", "ntp", "sensors")]


def test_hashes_are_those_of_the_lock(run: Path) -> None:
    """A distribution in its locked version has the lock's hashes; in another version it has none."""
    parts = components(valid(bom.of_run(run)))
    (files,) = parts["paho-mqtt"]["externalReferences"]
    assert {entry["content"] for entry in files["hashes"]} == set(PINS["paho-mqtt"].sha256)
    assert "externalReferences" not in parts["numpy"]


def test_licences_are_named_where_known(run: Path) -> None:
    """An SPDX expression stays an expression, a name stays a name, and an unknown licence is left out."""
    parts = components(valid(bom.of_run(run)))
    assert parts["paho-mqtt"]["licenses"] == [{"expression": "EPL-2.0 OR BSD-3-Clause"}]
    assert parts["numpy"]["licenses"] == [{"license": {"name": "BSD License"}}]
    assert not [name for name in ("mosquitto", "tzdata") if "licenses" in parts[name]]


def test_coldaisle_is_what_the_bill_is_of(run: Path) -> None:
    """The main component has the run's version, licence, commit and digests and depends on all others; the time is the run's."""
    made, bill = Manifest.load(run), valid(bom.of_run(run))
    main = bill["metadata"]["component"]
    assert (main["name"], main["version"]) == ("coldaisle", made.versions["coldaisle"])
    facts = dict(properties(main))
    assert (facts["run"], facts["plan_digest"]) == (made.id, made.plan_digest)
    assert facts.get("commit", "") == made.commit
    (depends,) = (entry for entry in bill["dependencies"] if entry["ref"] == main["bom-ref"])
    assert set(depends["dependsOn"]) == {component["bom-ref"] for component in bill["components"]}
    assert bill["metadata"]["timestamp"] == made.created.isoformat()


def test_the_same_run_has_the_same_bill(run: Path) -> None:
    """Two bills of one run are equal to the byte; other content gives another serial number."""
    first = bom.of_run(run)
    assert bom.of_run(run) == first
    Software.model_validate({**BASE, "debian": {"mosquitto": "3"}}).save(run / FOLDER / "broker.json")
    assert valid(bom.of_run(run))["serialNumber"] != json.loads(first)["serialNumber"]


def test_a_run_that_noted_nothing_has_no_bill(tmp_path: Path) -> None:
    """A run without a list of its software, and a folder that is not a run, are each refused in one sentence."""
    with pytest.raises(InputError, match="name the folder of a finished run"):
        bom.of_run(tmp_path)
    made_manifest(tmp_path).save(tmp_path)
    with pytest.raises(InputError, match="before runs noted their software"):
        bom.of_run(tmp_path)


def test_the_checkout_has_a_bill_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout's bill is of the last commit and the installed dependencies, without test tools; without a commit there is no bill."""
    out = tmp_path / "bill.json"
    monkeypatch.setattr(
        provenance, "_git", lambda *a: "2026-11-29T12:00:00+00:00" if "log" in a else "ab" * 20
    )
    done = CliRunner().invoke(app, ["sbom", "--out", str(out)])
    assert (done.exit_code, done.output) == (0, "")
    bill = valid(out.read_text())
    assert bill["metadata"]["timestamp"] == "2026-11-29T12:00:00+00:00"
    parts = components(bill)
    assert {"numpy", "scapy", "pandas", "cyclonedx-python-lib"} <= set(parts)
    assert not {"pytest", "ruff", "coldaisle"} & set(parts)
    assert all(
        "externalReferences" in part for part in parts.values() if part.get("purl", "").startswith("pkg:pypi")
    )
    assert CliRunner().invoke(app, ["sbom"]).output == out.read_text()
    monkeypatch.setattr(provenance, "_git", lambda *_: "")
    with pytest.raises(InputError, match="there is no commit here"):
        bom.of_checkout()
    monkeypatch.undo()


def test_a_bill_that_cannot_be_written_is_said(run: Path) -> None:
    """An output file in a missing folder is refused in one sentence."""
    done = CliRunner().invoke(app, ["sbom", str(run), "--out", str(run / "none" / "bill.json")])
    assert isinstance(done.exception, InputError)
    assert "cannot be written" in str(done.exception)

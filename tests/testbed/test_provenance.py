"""The software in a manifest: on netns this machine's, in containers that of each image."""

import subprocess
from pathlib import Path

import pytest

from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.software import FOLDER, Software
from coldaisle_testbed import provenance


def test_on_namespaces_the_machine_is_noted(tmp_path: Path) -> None:
    """File and versions have the base, exact Debian versions and libraries, without the tools of the tests."""
    versions = provenance.note(tmp_path, "netns")
    held = Software.of_run(tmp_path)["machine"]
    assert versions["base"] == held.base
    for package, version in held.debian.items():
        assert versions[f"debian/{package}"] == version
    assert versions["paho-mqtt"] == held.python["paho-mqtt"]
    assert {"numpy", "scapy", "pydantic"} <= set(held.python)
    assert not {"pytest", "ruff", "mypy", "polars"} & set(held.python)


def test_programs_say_their_own_version(tmp_path: Path) -> None:
    """On netns a program's version is the output of the program on the PATH."""
    first = subprocess.run(["tcpdump", "--version"], capture_output=True, text=True, check=False)
    assert f"version {provenance.note(tmp_path, 'netns')['tcpdump']}" in first.stdout + first.stderr


def test_in_containers_the_images_are_noted(tmp_path: Path) -> None:
    """Base, day, packages and libraries are the images'; no Debian package of this machine is listed."""
    image = {"base": "Debian 13.2", "made": "2026-11-17"}
    broker = Software.model_validate({**image, "debian": {"mosquitto": "2.0.21-1+b1", "libc6": "2.41-12"}})
    broker.save(tmp_path / FOLDER / "broker.json")
    Software.model_validate({**image, "python": {"scapy": "2.9"}}).save(tmp_path / FOLDER / "injector.json")
    versions = provenance.note(tmp_path, "compose")
    assert Software.of_run(tmp_path)["machine"].debian == {}
    assert "Debian 13.2 of 2026-11-17" in versions["base"].split("; ")
    assert (versions["mosquitto"], versions["debian/mosquitto"]) == ("2.0.21", "2.0.21-1+b1")
    assert "2.9" in versions["scapy"].split("; ")
    assert not {"debian/libc6", "debian/tcpdump", "tcpdump"} & set(versions)


def test_an_image_that_concludes_leaves_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The analysis image writes the file from its build and does not list its software again."""
    image = tmp_path / "image"
    Software(base="Debian 13.2").save(image / "analysis.json")
    monkeypatch.setattr(provenance, "IMAGE", image)
    versions = provenance.note(tmp_path / "run", "compose")
    assert list(Software.of_run(tmp_path / "run")) == ["analysis"]
    assert versions["base"] == "Debian 13.2"


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("2.0.11-1.2+deb12u2", "2.0.11"),
        ("1:6.1-1", "6.1"),
        ("4.3", "4.3"),
        ("2.0-rc1-3", "2.0-rc1"),
        ("4.4.7+dfsg-1~deb13u1", "4.4.7+dfsg"),
    ],
)
def test_upstream_versions_are_debians_without_epoch_and_revision(version: str, upstream: str) -> None:
    """The upstream version lies between a colon and the last hyphen, as in deb-version(7)."""
    assert provenance._upstream(version) == upstream


@pytest.mark.netns
def test_a_run_holds_what_its_manifest_says(hour_run: Path) -> None:
    """A real run has this machine's file, sealed, and its versions are those of the file."""
    manifest = Manifest.load(hour_run)
    assert f"{FOLDER}/machine.json" in manifest.files
    held = Software.of_run(hour_run)["machine"]
    assert manifest.versions["base"] == held.base
    named = {name: version for name, version in manifest.versions.items() if name.startswith("debian/")}
    assert named == {f"debian/{package}": version for package, version in held.debian.items()}

"""The software of a machine or an image: a script lists it, the run keeps the list, and the list is read back."""

import importlib.metadata
import shutil
import subprocess
from email.message import Message
from pathlib import Path

import pytest

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.software import FOLDER, Software, licence

HOUSE = Path(__file__).resolve().parents[2]
SCRIPT = HOUSE / "testbed" / "software"
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="this test needs Debian's dpkg")


@needs_dpkg
def test_packages_have_the_versions_of_dpkg() -> None:
    """Each requested package has dpkg's version; a package that is not installed is left out."""
    held = Software.of(SCRIPT, "tshark", "libc6", "no-such-package", "mosquitto-dev")
    command = ["dpkg-query", "-W", "-f=${Package}=${Version}\n", "tshark", "libc6"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert held.debian == dict(line.split("=", 1) for line in listing.splitlines())
    assert held.made is None


@needs_dpkg
def test_an_image_names_everything_and_its_day() -> None:
    """For an image, the script lists every installed package and the day on which the base was made."""
    held = Software.of(SCRIPT, "image")
    assert {"libc6", "tshark", "base-files"} <= set(held.debian)
    assert held.made is not None


def test_the_base_is_what_the_system_says() -> None:
    """Name and version come from os-release; Debian's version has the number of its point release."""
    held = Software.of(SCRIPT, "libc6")
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    )
    named = {name: text.strip('"') for name, text in release.items()}
    debian = f"Debian {Path('/etc/debian_version').read_text().strip()}" if named["ID"] == "debian" else ""
    assert held.base == (debian or f"{named['NAME']} {named.get('VERSION_ID', '')}")


def test_a_system_that_cannot_say_has_its_python_all_the_same(tmp_path: Path) -> None:
    """If the script fails, base and packages stay empty and Python's packages are still listed."""
    failing = tmp_path / "software"
    failing.write_text("#!/bin/sh\nexit 1\n")
    failing.chmod(0o755)
    for script in (failing, tmp_path / "none"):
        held = Software.of(script, "libc6")
        assert (held.base, held.debian) == ("", {})
        assert held.python["pydantic"] == importlib.metadata.version("pydantic")


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    """The files of several images are read by name; an error names the damaged file."""
    some = Software(base="Debian 13.2", debian={"a": "1:2-3"}, python={"b": "1"}, licences={"b": "MIT"})
    some.save(tmp_path / FOLDER / "broker.json")
    Software().save(tmp_path / FOLDER / "ntp.json")
    assert Software.of_run(tmp_path) == {"broker": some, "ntp": Software()}
    (tmp_path / FOLDER / "ntp.json").write_text('{"debian": 3}')
    with pytest.raises(InputError, match=r"ntp\.json"):
        Software.of_run(tmp_path)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License-Expression": "MIT", "License": "see LICENSE"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT License"),
        ({"Classifier": "License :: OSI Approved", "License": "BSD"}, "BSD"),
        ({"License": "Permission is hereby granted\nfree of charge"}, ""),
        ({}, ""),
    ],
)
def test_a_licence_is_a_name(fields: dict[str, str], expected: str) -> None:
    """The licence is the SPDX expression, else the classifier, else a short field; the full text of a licence is not used."""

    class Made(importlib.metadata.PathDistribution):
        def __init__(self) -> None:
            super().__init__(Path())

        @property
        def metadata(self) -> Message:  # type: ignore[override]
            message = Message()
            for name, value in fields.items():
                message[name] = value
            return message

    assert licence(Made()) == expected

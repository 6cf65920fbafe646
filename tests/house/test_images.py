"""The images: each holds its own part with locked and hashed dependencies, and only two hold scapy."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from coldaisle_contracts.errors import InputError
from coldaisle_testbed import locks
from coldaisle_testbed.locks import LOCK

HOUSE = Path(__file__).resolve().parents[2]
IMAGES = sorted(path.parent.name for path in HOUSE.glob("*/Dockerfile"))
PACKAGES = [image for image in IMAGES if (HOUSE / image / LOCK).is_file()]
PROJECT: dict[str, Any] = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
SHARED_LINES = 5
"""Number of first lines that all images share for the build cache: ARG, FROM and the first RUN."""


def names(requirements: list[str]) -> set[str]:
    """Return the distributions in a list of requirements, with names normalised by PEP 503."""
    matches = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in matches if match}


def group(name: str) -> set[str]:
    """Return the distributions of a dependency group of pyproject.toml and of the groups that it includes."""
    entries: list[str | dict[str, str]] = PROJECT["dependency-groups"][name]
    included = (group(entry["include-group"]) for entry in entries if isinstance(entry, dict))
    return names([entry for entry in entries if isinstance(entry, str)]).union(*included)


def test_images_take_what_the_project_declares() -> None:
    """The groups of all images together are the project's dependencies plus its extras, JupyterLab and its companions."""
    taken = set[str]().union(*(group(image) for image in PACKAGES))
    extras = names([line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines])
    assert taken == names(PROJECT["project"]["dependencies"]) | group("notebook") | extras


@pytest.mark.parametrize("image", PACKAGES)
def test_an_image_locks_its_group(image: str) -> None:
    """The lock of an image pins every distribution in its group."""
    assert group(image) <= set(locks.read(HOUSE / image / LOCK))


def test_the_lock_of_the_checkout_holds_everything_declared() -> None:
    """The lock for `./coldaisle` pins every direct dependency and the tools of the tests."""
    declared = names(PROJECT["project"]["dependencies"]) | group("dev")
    assert declared <= set(locks.read(HOUSE / LOCK))


@pytest.mark.parametrize("extra", PROJECT["project"]["optional-dependencies"])
def test_an_extra_is_in_the_lock_of_the_checkout(extra: str) -> None:
    """What an extra brings is among the tools of the tests with the same requirement, so that its tests run in every checkout."""
    assert set(PROJECT["project"]["optional-dependencies"][extra]) <= set(PROJECT["dependency-groups"]["dev"])


@pytest.mark.parametrize("image", PACKAGES)
def test_locks_agree(image: str) -> None:
    """A distribution in two locks has the same version and the same hashes in both."""
    main, other = locks.read(HOUSE / LOCK), locks.read(HOUSE / "analysis" / LOCK)
    locked = locks.read(HOUSE / image / LOCK)
    assert locked == {name: main.get(name) or other[name] for name in locked}
    assert all(main[name] == other[name] for name in main.keys() & other.keys())


@pytest.mark.parametrize(
    "lock",
    ["numpy>=2\n", "numpy==2.4.6\n", "numpy==2.4.6 --hash=md5:00\n", "-r other.lock\n", "--index-url x\n"],
)
def test_a_lock_without_hashes_is_refused(tmp_path: Path, lock: str) -> None:
    """A requirement without an exact version or a sha256, and any option of pip, is refused with its line."""
    path = tmp_path / LOCK
    path.write_text(f"# made\n{lock}", encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        locks.read(path)


def test_whoever_installs_checks_hashes() -> None:
    """Every `pip install` in the bootstrap and the Dockerfiles checks hashes or installs the checkout itself."""
    files = (HOUSE / "coldaisle", *(HOUSE / image / "Dockerfile" for image in IMAGES))
    calls = [line for file in files for line in file.read_text("utf-8").splitlines() if "pip install" in line]
    assert len(calls) == len(PACKAGES) + 2
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation -e" in line for line in calls)


def test_only_two_images_hold_scapy() -> None:
    """The licence of scapy is GPL-2.0-only: only the attacker's image holds it, and that of a worker, which plays all programs."""
    holding = [image for image in PACKAGES if "scapy" in locks.read(HOUSE / image / LOCK)]
    assert holding == ["injector", "worker"]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_gets_its_own_part_only(image: str) -> None:
    """An image copies the contracts and its own package; the analysis image also the desk, and testbed and capture, to finish runs; a worker all packages."""
    text = (HOUSE / image / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY \w+/(coldaisle_\w+)", text, re.MULTILINE))
    if image not in PACKAGES:
        assert copied == set()
        return
    if image == "worker":
        assert copied == {path.name for path in HOUSE.glob("[!.]*/coldaisle_*")}
        return
    also = {"coldaisle_desk", "coldaisle_testbed", "coldaisle_capture"} if image == "analysis" else set()
    assert copied == {"coldaisle_contracts", f"coldaisle_{image}"} | also


def test_images_share_their_first_layers() -> None:
    """All images begin with the same lines, and those with Python with the same ten lines, so that these layers are built once."""
    texts = {
        image: (HOUSE / image / "Dockerfile").read_text(encoding="utf-8").splitlines() for image in IMAGES
    }
    assert len({tuple(text[1 : 1 + SHARED_LINES]) for text in texts.values()}) == 1
    workdir = texts["testbed"].index("WORKDIR /opt/coldaisle")
    assert len({tuple(texts[image][1:workdir]) for image in PACKAGES}) == 1


def test_debian_packages_are_of_a_series() -> None:
    """Every Debian package in an image is pinned to its tested upstream series, and the base has a default."""
    for image in IMAGES:
        text = (HOUSE / image / "Dockerfile").read_text(encoding="utf-8")
        assert "ARG BASE=debian:trixie-slim\nFROM ${BASE}\n" in text
        installed = re.findall(r"apt-get install -qy --no-install-recommends (.+?) &&", text)
        assert len(installed) == text.count("apt-get install")
        assert all(
            re.fullmatch(r"'[a-z0-9.-]+=[0-9:.]+\*'", package)
            for line in installed
            for package in line.split()
        )


def test_the_build_context_holds_every_file_copied() -> None:
    """.dockerignore admits every path that a Dockerfile copies, and no path that does not exist."""
    allowed = {
        line[1:] for line in (HOUSE / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    copied: set[str] = set()
    for image in IMAGES:
        for line in re.findall(
            r"^COPY (.+) \S+$", (HOUSE / image / "Dockerfile").read_text("utf-8"), re.MULTILINE
        ):
            copied.update(line.split())
    assert allowed == copied
    assert all((HOUSE / path).exists() for path in allowed)


def test_libraries_of_ones_own_come_last(tmp_path: Path) -> None:
    """Only in the service notebook, the analysis image also searches the folder for the user's own packages, after its own libraries."""
    line = re.findall(
        r"^RUN echo '(import .+)' > ", (HOUSE / "analysis/Dockerfile").read_text("utf-8"), re.MULTILINE
    )
    (tmp_path / "own.pth").write_text(line[0])
    show = f"import site, sys; site.addsitedir({str(tmp_path)!r}); print(sys.path[-1])"
    ends = [
        subprocess.run(
            [sys.executable, "-c", show], env=os.environ | env, capture_output=True, text=True, check=True
        ).stdout.strip()
        for env in ({"PIP_TARGET": "/own"}, {"PIP_TARGET": ""})
    ]
    assert ends == ["/own", str(tmp_path)]
    assert "export PIP_TARGET=/notebooks/" in (HOUSE / "analysis/notebook").read_text("utf-8")

"""The images: each gets its part, from the locked dependencies, and scapy is in one alone."""

import re
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
IMAGES = sorted(path.parent.name for path in HOUSE.glob("*/Dockerfile"))
PACKAGES = [image for image in IMAGES if (HOUSE / image / "requirements.txt").is_file()]
LOCKS = (HOUSE / "requirements.lock", HOUSE / "analysis" / "requirements.lock")
SHARED_LINES = 4
"""FROM and the first RUN of every image, for the build cache."""


def names(text: str) -> set[str]:
    """Return the distributions a requirements file or a list of them names, normalised as PEP 503 says."""
    lines = (line.strip() for line in text.splitlines())
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith("#"))
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match}


def declared() -> set[str]:
    """Return the distributions pyproject.toml asks for at run time."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    return names("\n".join([*project["project"]["dependencies"], *groups["notebook"]]))


def locked() -> set[str]:
    """Return the distributions the two lock files pin."""
    return set[str]().union(*(names(file.read_text(encoding="utf-8")) for file in LOCKS))


@pytest.mark.parametrize("image", PACKAGES)
def test_an_image_needs_only_what_is_declared_and_locked(image: str) -> None:
    """Every requirement of an image is declared in pyproject.toml and pinned by a lock file."""
    needed = names((HOUSE / image / "requirements.txt").read_text(encoding="utf-8"))
    assert needed
    assert needed <= declared()
    assert needed <= locked()


def test_everything_declared_is_locked() -> None:
    """The lock files pin every direct dependency."""
    assert declared() <= locked()


def test_no_distribution_is_in_both_locks() -> None:
    """What the tests and JupyterLab share, such as the kernel that runs a notebook, is pinned once."""
    first, second = (names(file.read_text("utf-8")) for file in LOCKS)
    assert first & second == set()


def test_locks_pin_exactly_and_name_no_index() -> None:
    """Each line of a lock is name==version, perhaps for one platform, and says nothing of where it comes from."""
    for file in LOCKS:
        for line in file.read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line), line


def test_only_the_injector_image_holds_scapy() -> None:
    """The licence of scapy is GPL-2.0-only; no other image asks for it."""
    with_scapy = [
        image
        for image in PACKAGES
        if "scapy" in names((HOUSE / image / "requirements.txt").read_text("utf-8"))
    ]
    assert with_scapy == ["injector"]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_gets_its_own_part_only(image: str) -> None:
    """An image copies the contracts and its own package; the analysis also the testbed, which finishes runs."""
    text = (HOUSE / image / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY \w+/(coldaisle_\w+)", text, re.MULTILINE))
    if image not in PACKAGES:
        assert copied == set()
        return
    also = {"coldaisle_testbed"} if image == "analysis" else set()
    assert copied == {"coldaisle_contracts", f"coldaisle_{image}"} | also


def test_images_share_their_first_layers() -> None:
    """All images begin with the same lines, the Python ones with the same ten, so that each is built once."""
    texts = {
        image: (HOUSE / image / "Dockerfile").read_text(encoding="utf-8").splitlines() for image in IMAGES
    }
    assert len({tuple(text[1 : 1 + SHARED_LINES]) for text in texts.values()}) == 1
    workdir = texts["testbed"].index("WORKDIR /opt/coldaisle")
    assert len({tuple(texts[image][1:workdir]) for image in PACKAGES}) == 1


def test_the_build_context_holds_every_file_copied() -> None:
    """.dockerignore lets through what the Dockerfiles copy, and nothing that is not there."""
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

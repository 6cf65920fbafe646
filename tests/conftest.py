"""What several tests share: the published captures, and one real run of the smoke scenario."""

import os
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
_WITHOUT_ROOT = "needs root: network namespaces and packet sockets"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Report real runs as not run, with the reason, when nobody may make a namespace."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("netns"):
            item.add_marker(pytest.mark.skip(reason=_WITHOUT_ROOT))


@pytest.fixture(scope="session")
def dad() -> Path:
    """Folder of the published DAD captures."""
    folder = Path(os.environ.get("COLDAISLE_DAD", HOUSE.parent / "shared" / "data" / "dad"))
    if not folder.is_dir():
        pytest.skip(f"the published DAD captures are not in {folder}: name their folder in COLDAISLE_DAD")
    return folder

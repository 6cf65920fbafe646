"""Labels of frames: the journal is joined with the capture, occurrence by occurrence."""

from pathlib import Path

import pandas as pd
import pytest
from tests.analysis import made_run

from coldaisle_analysis.truth import evidence, frames
from coldaisle_analysis.truth.frames import Join
from coldaisle_contracts.addressing import INJECTOR


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return run


@pytest.fixture(scope="module")
def joined(run: Path) -> Join:
    """Return the frames of the run joined with the lines of the journal."""
    return frames.join(evidence.load(run))


def attacked(joined: Join, kind: str) -> pd.DataFrame:
    """Return the labelled frames of a kind."""
    return joined.table[(joined.table["kind"] == kind) & (joined.table["label"] == 1)]


def test_every_line_is_found(joined: Join) -> None:
    """Every line of the journal has a frame, and no frame has two lines."""
    assert (joined.lines["row"] >= 0).all()
    assert joined.lines["row"].is_unique


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("modification", {"injected": 2, "modified": 1}),
        ("removal", {"injected": 2}),
        ("interception", {"injected": 2, "relayed": 12}),
        ("duplication", {"injected": 2, "duplicate": 2}),
    ],
)
def test_roles_of_each_kind(joined: Join, kind: str, roles: dict[str, int]) -> None:
    """Each kind labels the frames that are in the journal and no others: claims, restored caches, and acts on readings."""
    assert attacked(joined, kind)["role"].value_counts().to_dict() == roles


def test_relayed_frames_keep_label_0(joined: Join) -> None:
    """A frame that only passed through a modification is relayed and normal, and names its episode."""
    relayed = joined.table[(joined.table["role"] == "relayed") & (joined.table["label"] == 0)]
    assert len(relayed) == 9
    assert set(relayed["kind"]) == {"normal"}
    assert relayed["episode"].notna().all()


def test_restored_cache_is_not_its_owners_word(run: Path, joined: Join) -> None:
    """A unit's own ARP differs from the attacker's restoring ARP only in the MAC address, and stays normal."""
    packets = evidence.load(run).trace.packets
    honest = (packets["protocol"] == "ARP") & (packets["eth_src"] != INJECTOR.mac)
    assert honest.sum() == 4
    assert joined.table.loc[honest, "role"].isna().all()
    assert joined.table.loc[honest, "label"].eq(0).all()


def test_equal_frames_are_joined_in_order(joined: Join) -> None:
    """If two claims have the same bytes, the earlier line gets the earlier frame."""
    claims = joined.lines[joined.lines["act"] == "poison"]
    assert claims["digest"].duplicated().any()
    for _, same in claims.groupby("digest"):
        assert same["row"].is_monotonic_increasing

"""The whole catalogue, really played and analysed: every reading and every frame is accounted for."""

from pathlib import Path

import pandas as pd
import pytest
from tests.netns.catalogue import PLAN, PLAYED

from coldaisle_analysis import dataset
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.truth import custody, ledger
from coldaisle_analysis.truth.consequences import reasons
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.kinds import BENIGN

pytestmark = pytest.mark.netns


@pytest.fixture(scope="session")
def account(catalogue_run: Path) -> Account:
    """The fate of every reading and the label of every frame."""
    return settle(catalogue_run)


@pytest.fixture(scope="session")
def made(catalogue_run: Path, account: Account) -> Dataset:
    """The dataset of the run."""
    return dataset.build(catalogue_run, account)


def _of(made: Dataset, kind: str) -> pd.DataFrame:
    return made.readings[made.readings["kind"] == kind]


def test_everything_adds_up(catalogue_run: Path, account: Account) -> None:
    """Each reading has one fate, each act was played, and no frame was dropped."""
    assert ledger.check(catalogue_run, account) == []


def test_no_frame_is_unexplained(account: Account) -> None:
    """Every frame belongs to the attacker, a unit, an NTP exchange or a kernel's own ARP question."""
    assert len(custody.unexplained(account)) == 0


def test_labels_are_the_journals(catalogue_run: Path, account: Account, made: Dataset) -> None:
    """Precision and recall of the dataset's labels against the journals are 1, and a removed or an added label lowers them."""
    folder = catalogue_run.parent / "proof"
    dataset.write(made, folder / "dataset")
    assert ledger.prove(folder, account) == ledger.Proof(1.0, 1.0, 0)
    for row, label in ((made.packets["label"].idxmax(), 0), (0, 1)):
        wrong = made.packets.copy()
        wrong.loc[row, "label"] = label
        dataset.write(Dataset(wrong, made.messages, made.readings), folder / "dataset")
        assert ledger.prove(folder, account) != ledger.Proof(1.0, 1.0, 0)


def test_every_kind_is_labelled_as_what_it_is(made: Dataset) -> None:
    """Attacks have label 1, benign anomalies have benign 1 and never label 1, and every kind occurs."""
    both = pd.concat([made.packets[["label", "benign", "kind"]], made.readings[["label", "benign", "kind"]]])
    kind = both["kind"].astype(str)
    assert set(kind[both["label"] == 1]) == {played.name for played in PLAYED if not played.benign}
    assert set(kind[both["benign"] == 1]) == set(BENIGN)
    assert not ((both["label"] == 1) & (both["benign"] == 1)).any()
    assert set(kind) == {"normal", *(played.name for played in PLAYED)}


def test_the_labels_are_what_the_document_says(made: Dataset) -> None:
    """`kind` is normal exactly where label and benign are 0; every act on a reading labels it; consequences of attacks count as attacks."""
    for table in (made.packets, made.readings):
        anomalous = (table["label"] == 1) | (table["benign"] == 1)
        assert ((table["kind"].astype(str) == "normal") == ~anomalous).all()
    readings = made.readings.astype({"kind": "str", "fate": "str", "role": "str"})
    attacked = readings[readings["label"] == 1]
    fates = {kind: set(own["fate"]) for kind, own in attacked.groupby("kind")}
    assert fates["modification"] == {"modified"}
    assert fates["removal"] == {"removed"}
    assert fates["delay"] == fates["reordering"] == {"delayed"}
    for kind in ("interception", "duplication", "tampering", "loss", "doubling", "time-forgery"):
        assert fates[kind] == {"delivered"}
    assert set(attacked.loc[attacked["kind"].isin(["loss", "time-forgery"]), "role"]) == {"consequence"}


def test_values_differ_from_what_the_ledger_says_only_where_a_reading_left_its_slot(made: Dataset) -> None:
    """`value` is the value received in a slot, `value_received` that of the slot's reading; they differ only if a reading arrives in another slot."""
    readings = made.packets[made.packets["copy"].eq(0) & made.packets["slot"].notna()]
    arrived = readings.assign(client_id=readings["client"].astype(str).str.partition("-")[0])
    arrived = arrived.sort_values("time_ns").drop_duplicates(["client_id", "slot"])
    ends = {
        str(client): table["decided_ns"].to_numpy()
        for client, table in made.readings.groupby("client_id", observed=True)
    }
    strayed: set[tuple[str, int]] = set()
    for client, slot, at in arrived[["client_id", "slot", "time_ns"]].itertuples(index=False):
        landed = int(ends[client].searchsorted(at, "right"))
        if landed != slot:
            strayed |= {(client, int(slot)), (client, landed)}
    table = made.readings.astype({"client_id": "str"})
    differ = table[table["value"].fillna(-1) != table["value_received"].fillna(-1)]
    assert len(differ) > 0
    assert set(differ[["client_id", "slot"]].itertuples(index=False, name=None)) <= strayed


def test_late_reading_comes_late_and_swapped_ones_change_places(made: Dataset) -> None:
    """A delayed reading arrives when its delay is over; of two swapped readings the first arrives after the second."""
    packets = made.packets
    for kind, least in (("delay", 10 * SECOND), ("reordering", 299 * SECOND)):
        late = _of(made, kind)
        assert (late["fate"] == "delayed").all()
        for row in late[["client_id", "slot", "planned_ns"]].itertuples(index=False):
            frame = packets[(packets["client"] == row.client_id) & (packets["slot"] == row.slot)]
            assert frame["time_ns"].iloc[0] - row.planned_ns > least
    assert len(_of(made, "reordering"))


def test_forged_time_moves_the_stamps(account: Account, made: Dataset) -> None:
    """Stamps after a forged NTP answer differ by the planned shift of the clock, to a tenth of a second."""
    (episode,) = (candidate for candidate in PLAN.episodes if candidate.kind == "time-forgery")
    stamped = _of(made, "time-forgery")
    assert len(stamped)
    moved = (stamped["stamp_ns"] - stamped["taken_ns"]) / SECOND
    assert (moved - episode.parameters["size"]).abs().max() < 0.1
    honest = made.readings[made.readings["kind"] == "normal"]
    assert ((honest["stamp_ns"] - honest["taken_ns"]).abs() < SECOND // 10).all()
    assert account is not None


def test_thrown_out_sensor_comes_back_and_loses_nothing(account: Account) -> None:
    """A reset or a takeover causes a new connection that is assigned to its act, and every reading arrives."""
    lost = account.evidence.connects[account.evidence.connects["reason"] == "lost"]
    kinds = {episode.id: episode.kind for episode in PLAN.episodes}
    acts = [act for episode in PLAN.episodes if episode.kind in ("reset", "takeover") for act in episode.acts]
    assert len(lost) >= len(acts)
    named = reasons(account.evidence)
    assert set(named.loc[named["reason"] == "lost", "episode"].map(kinds)) == {"reset", "takeover"}
    assert (account.readings.loc[account.readings["fate"] != "removed", "arrivals"] > 0).all()

"""The dealer of weeks with workers that are only numbers: what is out is bounded, and nothing is lost, repeated in vain or kept waiting."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.testbed import made_campaign as made

from coldaisle_contracts.errors import InputError
from coldaisle_testbed.campaign.cluster import addresses, fitness
from coldaisle_testbed.campaign.cluster.dealing import MOST_LOSSES, Dealer, Ended
from coldaisle_testbed.campaign.cluster.driver import cluster_driver
from coldaisle_testbed.campaign.folder import folder_for
from coldaisle_testbed.campaign.outcome import Ending, Outcome


def outcome(week: str, ending: Ending) -> Outcome:
    """Return an outcome of a week."""
    return Outcome(digest=week, ending=ending, sentence=ending, host="here", began=datetime.now(UTC))


class Workers:
    """Workers that end one week per call of `wait`, as a script says.

    Args:
        slots: number of weeks at a time, by worker.
        script: what becomes of the attempts at a week, one word for each: an ending, ``die`` or ``lose``; then ``done``.

    Attributes:
        started: week and worker of each attempt.
        most: greatest number of weeks that were out at the same time on each worker.
    """

    def __init__(self, slots: dict[str, int], script: Mapping[str, list[str]] | None = None) -> None:
        self._slots, self._script = slots, dict(script or {})
        self._out: list[tuple[str, str]] = []
        self.started: list[tuple[str, str]] = []
        self.most: Counter[str] = Counter()

    def slots(self) -> Mapping[str, int]:
        """Return the workers that live."""
        if not self._slots:
            raise InputError("--scheduler", "nobody is left")
        return dict(self._slots)

    def start(self, week: str, worker: str) -> None:
        """Note an attempt."""
        assert worker in self._slots
        self._out.append((week, worker))
        self.started.append((week, worker))
        self.most[worker] = max(self.most[worker], sum(of == worker for _, of in self._out))

    def drop(self, week: str) -> None:
        """Forget the attempt of a dead worker."""
        self._out = [(out, worker) for out, worker in self._out if out != week]

    def wait(self) -> Iterable[Ended]:
        """End the oldest attempt."""
        if not self._out:
            return []
        week, worker = self._out.pop(0)
        word = (self._script.get(week) or ["done"]).pop(0)
        if word == "die":
            del self._slots[worker]
            self._out.append((week, worker))
            return []
        return [Ended(week, worker, None if word == "lose" else outcome(week, word))]  # type: ignore[arg-type]

    def lost(self, week: str, worker: str, count: int) -> Outcome:
        """Return that a week was given up."""
        return outcome(week, "failed").model_copy(update={"sentence": f"{count} {worker}"})


WEEKS = [f"w{number}" for number in range(9)]


def test_no_more_weeks_are_out_than_there_are_slots() -> None:
    """Each worker has at most the weeks that it plays at a time, so none waits at a worker; each week is attempted once."""
    workers = Workers({"a": 1, "b": 3})
    ended = [one.digest for one in Dealer(workers).deal(WEEKS)]
    assert sorted(ended) == WEEKS
    assert workers.most == {"a": 1, "b": 3}
    assert [week for week, _ in workers.started] == WEEKS


def test_a_week_goes_first_to_the_worker_with_most_room() -> None:
    """The first weeks are spread over the workers, however many slots one of them has."""
    workers = Workers({"a": 2, "b": 2})
    list(Dealer(workers).deal(WEEKS[:2]))
    assert {worker for _, worker in workers.started} == {"a", "b"}


@pytest.mark.parametrize("word", ["die", "lose", "refused"])
def test_another_worker_repeats_what_one_did_not_play(word: str) -> None:
    """A week whose worker died, lost it or refused is played on the other worker, in the same call."""
    workers = Workers({"a": 1, "b": 1}, {"w0": [word]})
    ended = list(Dealer(workers).deal(WEEKS))
    assert [one.ending for one in ended] == ["done"] * len(WEEKS)
    assert [worker for week, worker in workers.started if week == "w0"] == ["a", "b"]
    if word != "lose":
        assert [worker for _, worker in workers.started].count("a") == 1


def test_the_only_worker_repeats_it_itself() -> None:
    """Where there is no other worker, a week is repeated on the one that lost it."""
    workers = Workers({"a": 2}, {"w0": ["lose"]})
    assert [one.ending for one in Dealer(workers).deal(WEEKS)] == ["done"] * len(WEEKS)


def test_a_spoiled_week_is_for_the_campaign_to_repeat() -> None:
    """Its outcome is told at once; in the next call, the other worker gets it, even where it has to wait for that one."""
    workers = Workers({"a": 1, "b": 1}, {"w0": ["spoiled"]})
    dealer = Dealer(workers)
    assert [one.ending for one in dealer.deal(["w0"])] == ["spoiled"]
    assert [one.ending for one in dealer.deal(["w0"])] == ["done"]
    assert workers.started == [("w0", "a"), ("w0", "b")]


def test_a_week_that_kills_its_workers_is_given_up() -> None:
    """After five deaths a week has failed, and the others are played: no week takes every worker with it."""
    workers = Workers(dict.fromkeys("abcdefg", 1), {"w0": ["die"] * 9})
    ended = {one.digest: one for one in Dealer(workers).deal(WEEKS)}
    assert {week: one.ending for week, one in ended.items()} == dict.fromkeys(WEEKS, "done") | {
        "w0": "failed"
    }
    assert ended["w0"].sentence.startswith(f"{MOST_LOSSES} ")


def test_when_all_refuse_the_last_sentence_is_told() -> None:
    """Where every worker refused, each week that is left has that outcome, and the call ends."""
    workers = Workers({"a": 1, "b": 1}, {"w0": ["refused", "refused"], "w1": ["refused"]})
    ended = {one.digest: one.ending for one in Dealer(workers).deal(WEEKS[:3])}
    assert set(ended.values()) == {"refused"}
    assert len(ended) == 3


def test_without_workers_it_ends() -> None:
    """When the last worker died, the error of the pool comes through."""
    with pytest.raises(InputError, match="nobody is left"):
        list(Dealer(Workers({"a": 1}, {"w0": ["die"]})).deal(WEEKS))


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3), min_size=1),
    st.dictionaries(
        st.sampled_from(WEEKS),
        st.lists(st.sampled_from(["lose", "spoiled", "failed", "elsewhere", "refused", "die"])),
    ),
)
def test_every_week_has_one_outcome(slots: dict[str, int], script: dict[str, list[str]]) -> None:
    """Whatever happens, each week gets exactly one outcome, unless no worker is left."""
    workers = Workers(dict(slots), script)
    ended: list[str] = []
    try:
        ended.extend(one.digest for one in Dealer(workers).deal(WEEKS))
    except InputError:
        assert not workers._slots
    else:
        assert sorted(ended) == WEEKS
    assert len(set(ended)) == len(ended)
    assert all(count <= slots[worker] for worker, count in workers.most.items())


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:1", "tls://10.0.0.1:8786", "local"],
)
def test_loopback_and_tls_are_addresses(address: str) -> None:
    """A port that only this machine reaches, and one behind TLS, may be used."""
    assert addresses.checked(address) == address


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("tcp://10.0.0.1:8786", "whoever reaches this port may run any program"),
        ("tcp://0.0.0.0:8786", "whoever reaches this port may run any program"),
        ("tcp://node7:8786", "whoever reaches this port may run any program"),
        ("tcp://127.0.0.1.example.org:8786", "whoever reaches this port may run any program"),
        ("tcp://127.0.0.1", "write tcp://HOST:PORT"),
        ("tcp://127.0.0.1:99999", "write tcp://HOST:PORT"),
        ("ws://127.0.0.1:8786", "write tcp://HOST:PORT"),
        ("127.0.0.1:8786", "write tcp://HOST:PORT"),
        ("tcp://[::1", "write tcp://HOST:PORT"),
        ("", "write tcp://HOST:PORT"),
    ],
)
def test_other_addresses_are_refused(address: str, remedy: str) -> None:
    """An open port on a network is refused, and so is what is no address."""
    with pytest.raises(InputError, match=remedy):
        addresses.checked(address)


def test_a_worker_that_others_reach_is_refused() -> None:
    """A worker has a port, too: it has to be on loopback or behind TLS."""
    fitness.refuse_reachable("tcp://127.0.0.1:4000", "node7")
    with pytest.raises(InputError, match=r"address of worker node7 is 'tcp://10.0.0.7:4000'"):
        fitness.refuse_reachable("tcp://10.0.0.7:4000", "node7")


def test_only_workers_with_the_label_play() -> None:
    """The label is a resource; the number of weeks at a time is that of the worker's threads."""
    known = {
        "a": {"nthreads": 3, "resources": {"coldaisle": 1}},
        "b": {"nthreads": 4, "resources": {}},
        "c": {"nthreads": 1, "resources": {"coldaisle": 0.0}},
    }
    assert fitness.offering(known) == {"a": 3}


FACTS = {"host": "here", "runner": "here.1", "coldaisle": "1.0", "commit": "a", "tasks": "t"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"coldaisle": "0.9"}, "coldaisle of worker tcp://b:1 on here is '0.9': install 1.0 there"),
        ({"commit": "b"}, "commit of worker tcp://b:1 on here is 'b': install a there"),
        ({"tasks": ""}, "/data: it is not the campaign's folder there: mount that folder at the same place"),
        ({"tasks": "u"}, "/data: it is not the campaign's folder there"),
    ],
)
def test_an_unfit_worker_is_named(change: dict[str, str], sentence: str) -> None:
    """Another version, another commit and another folder are refused with worker, value and remedy; an unknown commit is not."""
    fit = {"tcp://a:1": dict(FACTS), "tcp://c:1": FACTS | {"commit": ""}}
    fitness.refuse_unfit(FACTS, fit, Path("/data"))
    with pytest.raises(InputError, match=re.escape(sentence)):
        fitness.refuse_unfit(FACTS, {**fit, "tcp://b:1": FACTS | change}, Path("/data"))


def test_a_worker_without_coldaisle_is_named() -> None:
    """A worker that answers with an error has no coldaisle that runs."""
    error = ModuleNotFoundError("No module named 'coldaisle_testbed'")
    with pytest.raises(InputError, match=r"worker tcp://b:1: it cannot run coldaisle \(No module"):
        fitness.refuse_unfit(FACTS, {"tcp://b:1": error}, Path("/data"))


def test_another_python_is_named() -> None:
    """Dask, distributed and the minor version of Python are the same on client, scheduler and workers."""

    def held(python: str, dask: str = "2.0") -> dict[str, object]:
        return {"host": {"python": python}, "packages": {"dask": dask, "distributed": "2.0"}}

    ours = {"client": held("3.11.2.final.0"), "scheduler": held("3.11.9.final.0"), "workers": {}}
    fitness.refuse_other_dask(ours)
    with pytest.raises(InputError, match=r"Python of worker tcp://b:1 is '3.13': install 3.11 there"):
        fitness.refuse_other_dask({**ours, "workers": {"tcp://b:1": held("3.13.1.final.0")}})
    with pytest.raises(InputError, match=r"dask of the scheduler is '1.0': install 2.0 there"):
        fitness.refuse_other_dask({**ours, "scheduler": held("3.11.2.final.0", "1.0")})


def test_without_dask_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Dask is not installed, the sentence says what to install."""
    monkeypatch.setitem(sys.modules, "coldaisle_testbed.campaign.cluster.dask_pool", None)
    folder = folder_for(made.file(tmp_path), tmp_path / "out")
    with (
        pytest.raises(InputError, match=r"pip install 'coldaisle\[dask\]'"),
        cluster_driver(folder, "local", 1),
    ):
        pass

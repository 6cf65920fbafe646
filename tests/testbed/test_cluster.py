"""A campaign on workers of Dask is played once, whatever becomes of them."""

import operator
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dask
import pytest
from tests.testbed import made_campaign as made
from tests.testbed.conftest import Call
from tests.testbed.made_cluster import Cluster, cluster, until

from coldaisle_contracts.campaign import CampaignFolder
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.manifest import Manifest, sha256_of
from coldaisle_testbed.campaign import attempt
from coldaisle_testbed.campaign.cluster import addresses, dask_pool, mapping
from coldaisle_testbed.campaign.folder import folder_for
from coldaisle_testbed.campaign.outcome import Outcome


class Tried:
    """A campaign of tiny weeks, and a cluster that plays them with a stand-in for the command.

    Attributes:
        file: the campaign's file.
        folder: its folder.
        house: folder of the stand-in.
        command: the stand-in.
        cluster: scheduler and workers.
    """

    def __init__(self, path: Path, made_cluster: Cluster, weeks: int) -> None:
        self.cluster = made_cluster
        self.file = made.file(path, weeks)
        self.folder = folder_for(self.file, path / "out")
        self.house = path / "house"
        self.command = made.stand_in(self.house, self.folder)

    def words(self) -> list[object]:
        """Return the command line that plays it."""
        out = self.folder.path
        return ["campaign", "run", self.file, "--out", out, "--scheduler", self.cluster.address]

    def program(self, digest: str) -> int:
        """Wait for the first attempt at a week, and return the process id of its program."""
        calls = until(lambda: list((self.house / "calls").glob(f"{digest}.0.*")))
        return int(calls[0].name.rpartition(".")[2])

    def digests(self) -> dict[str, str]:
        """Return the sha256 of the manifest of each run that lies in the folder, by the week's name."""
        return {
            path.name: sha256_of(path / "manifest.json") for path in (self.folder.path / "weeks").iterdir()
        }


@pytest.fixture
def tried(tmp_path: Path) -> Iterator[Tried]:
    """A campaign of six weeks and a scheduler without workers."""
    with cluster(tmp_path) as made_cluster:
        yield Tried(tmp_path, made_cluster, 6)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same campaign played without Dask and without faults: the manifest's digest of each week."""
    path = tmp_path_factory.mktemp("undisturbed")
    file = made.file(path, 6)
    folder = folder_for(file, path / "out")
    command = made.stand_in(path / "house", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attempt, "COMMAND", command)
        for week in folder.weeks:
            assert attempt.attempt(folder, week).ending == "done"
    return {week.digest: sha256_of(folder.run_of(week) / "manifest.json") for week in folder.weeks}


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def nothing_is_left(folder: CampaignFolder) -> bool:
    """Tell whether no claim and no half-made week lies in a folder."""
    return not [*(folder.path / ".making").iterdir(), *(folder.path / ".claims").iterdir()]


def test_workers_play_a_campaign(tried: Tried, coldaisle: Call, undisturbed: dict[str, str]) -> None:
    """Two workers play every week once, with the digests of a campaign without them; the same command again plays nothing."""
    for _ in range(2):
        tried.cluster.add(tried.command)
    assert coldaisle(*tried.words())[:2] == (0, f"6 weeks are done: {tried.folder.path}\n")
    assert tried.digests() == undisturbed
    assert made.calls(tried.house) == sorted(undisturbed)
    assert coldaisle(*tried.words())[0] == 0
    assert made.calls(tried.house) == sorted(undisturbed)
    assert nothing_is_left(tried.folder)


def test_a_killed_worker_takes_its_program_with_it(
    tried: Tried, coldaisle: Call, undisturbed: dict[str, str]
) -> None:
    """A worker is killed in mid-task: its program ends with it, the week is played by the other one, and every week is there once."""
    for _ in range(2):
        tried.cluster.add(tried.command)
    unlucky = tried.folder.weeks[0].digest
    made.order(tried.house, unlucky, "hang")
    programs: list[int] = []

    def kill() -> None:
        programs.append(tried.program(unlucky))
        tried.cluster.worker_of(programs[0]).kill()

    killer = threading.Thread(target=kill)
    killer.start()
    code, _, err = coldaisle(*tried.words())
    killer.join()
    assert code == 0, err
    assert tried.digests() == undisturbed
    assert not is_alive(programs[0])
    assert made.calls(tried.house).count(unlucky) == 2
    assert len(made.calls(tried.house)) == 7
    assert nothing_is_left(tried.folder)


def test_a_stopped_worker_loses_its_week(tried: Tried, coldaisle: Call, undisturbed: dict[str, str]) -> None:
    """A worker is stopped in mid-task: the other one plays its week, and when it goes on, it ends its program and leaves nothing."""
    for _ in range(2):
        tried.cluster.add(tried.command)
    unlucky = tried.folder.weeks[0].digest
    made.order(tried.house, unlucky, "hang")
    stopped: list[tuple[int, int]] = []

    def stop() -> None:
        program = tried.program(unlucky)
        worker = tried.cluster.worker_of(program)
        stopped.append((program, worker.pid))
        worker.send_signal(signal.SIGSTOP)

    stopper = threading.Thread(target=stop)
    stopper.start()
    code, _, err = coldaisle(*tried.words())
    stopper.join()
    assert code == 0, err
    assert tried.digests() == undisturbed
    program, worker_pid = stopped[0]
    assert is_alive(program)
    os.kill(worker_pid, signal.SIGCONT)
    until(lambda: not is_alive(program))
    until(lambda: nothing_is_left(tried.folder))
    assert tried.digests() == undisturbed


def test_what_the_client_asks_for_itself_hides_no_worker(tried: Tried) -> None:
    """Dask's client asks the scheduler for totals without workers every 2 s; no worker is taken for dead because of such an answer."""
    tried.cluster.add(tried.command)
    with dask_pool.pool_at(tried.cluster.address, tried.folder.path, 1) as pool:
        until(lambda: list(pool.slots()))
        pool._client._update_scheduler_info = _totals_only(pool._client)  # type: ignore[method-assign]
        assert not pool._client.scheduler_info(n_workers=-1)["workers"]
        assert list(pool.slots().values()) == [1]


def _totals_only(client: Any) -> Any:
    """Return a question to the scheduler that is always answered with totals."""
    ask = client._update_scheduler_info

    async def asked(n_workers: int = 0) -> None:  # noqa: ARG001 - the client's own form
        await ask(0)

    return asked


def test_an_interrupted_campaign_stops_its_programs(tried: Tried) -> None:
    """When whoever deals the weeks ends early, workers end the programs that they play, and give the weeks back."""
    tried.cluster.add(tried.command)
    first = tried.folder.weeks[0].digest
    made.order(tried.house, first, "hang")
    with dask_pool.pool_at(tried.cluster.address, tried.folder.path, 1) as pool:
        worker = until(lambda: next(iter(pool.slots()), None))
        assert worker is not None
        pool.start(first, worker)
        program = tried.program(first)
    until(lambda: not is_alive(program))
    until(lambda: nothing_is_left(tried.folder))
    assert tried.digests() == {}


def test_a_week_that_failed_is_repeated_on_another_worker(tried: Tried, coldaisle: Call) -> None:
    """What load has spoiled on one machine is not given to that machine again while there is another."""
    for name in ("first", "second"):
        tried.cluster.add((*tried.command, name))
    bad = tried.folder.weeks[3].digest
    made.order(
        tried.house, bad, "exit 3 the run is not trustworthy: load", "exit 3 the run is not trustworthy: load"
    )
    assert coldaisle(*tried.words())[0] == 0
    attempts = sorted((tried.house / "calls").glob(f"{bad}.*"))
    assert len(attempts) == 3
    assert {path.read_text().split()[0] for path in attempts[:2]} == {"first", "second"}


def test_a_full_disk_of_one_worker_is_one_sentence(tried: Tried, coldaisle: Call) -> None:
    """The other workers play all weeks, then the sentence of the full disk ends the command with exit code 2; again, there is nothing to do."""
    for _ in range(2):
        tried.cluster.add(tried.command)
    made.order(
        tried.house, tried.folder.weeks[0].digest, "exit 2 /data: the disk at /data is full: free some"
    )
    code, out, err = coldaisle(*tried.words())
    assert (code, out) == (2, "")
    sentence = err.splitlines()[-1]
    assert sentence.startswith("coldaisle: worker tcp://127.0.0.1:")
    assert "/data: the disk at /data is full: free some" in sentence
    assert all(map(tried.folder.is_done, tried.folder.weeks))
    assert coldaisle(*tried.words())[0] == 0


def test_a_full_disk_of_all_workers_ends_the_campaign(tried: Tried, coldaisle: Call) -> None:
    """Where every worker refuses, nothing is tried for ever, and what is done stays done."""
    tried.cluster.add(tried.command)
    made.order(
        tried.house, tried.folder.weeks[2].digest, "exit 2 /data: the disk at /data is full: free some"
    )
    code, _, err = coldaisle(*tried.words())
    assert code == 2
    assert err.splitlines()[-1] == "coldaisle: /data: the disk at /data is full: free some"
    assert [tried.folder.is_done(week) for week in tried.folder.weeks] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_a_label_that_nobody_offers_times_out(
    tried: Tried, coldaisle: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker without the label gets nothing, and the sentence says how to start one with it."""
    monkeypatch.setattr(dask_pool, "NOBODY_S", 3.0)
    tried.cluster.add(tried.command, "--resources", "other=1")
    code, _, err = coldaisle(*tried.words())
    assert code == 2
    assert (
        "offers the resource coldaisle: start one with `dask worker tcp://127.0.0.1:" in err.splitlines()[-1]
    )
    assert made.calls(tried.house) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("provenance.version = lambda: '0.0.9'", "coldaisle of worker tcp://127.0.0.1:"),
        ("provenance.commit = lambda: 'f' * 40", "commit of worker tcp://127.0.0.1:"),
        (
            "from distributed import versions; versions._version_cached = lambda _: '1.0'",
            "dask of worker tcp://127.0.0.1:",
        ),
    ],
)
def test_another_version_is_one_sentence(tried: Tried, coldaisle: Call, change: str, words: str) -> None:
    """A worker with another coldaisle or Dask is refused before it plays anything."""
    preload = tried.house / "change.py"
    preload.write_text(f"from coldaisle_testbed import provenance\n{change}\n")
    tried.cluster.add(tried.command, "--preload", str(preload))
    code, _, err = coldaisle(*tried.words())
    assert code == 2
    assert words in err.splitlines()[-1]
    assert made.calls(tried.house) == []


def test_behind_tls_a_campaign_is_played(tmp_path: Path, coldaisle: Call) -> None:
    """One certificate that is its own authority serves scheduler, worker and client; without it the client says what is missing."""
    pem = str(Path(__file__).with_name("localhost.pem"))
    keys = [
        "ca-file",
        *(f"{who}.{part}" for who in ("scheduler", "worker", "client") for part in ("cert", "key")),
    ]
    settings = {f"distributed.comm.tls.{key}": pem for key in keys}
    names = {f"DASK_{key}".replace(".", "__").replace("-", "_").upper(): pem for key in settings}
    with cluster(tmp_path, names, "tls") as made_cluster:
        tried = Tried(tmp_path, made_cluster, 3)
        tried.cluster.add(tried.command)
        assert tried.cluster.address.startswith("tls://")
        code, _, err = coldaisle(*tried.words())
        assert code == 2
        assert "its certificates cannot be used (none is named): name them as docs/scaling.md says" in err
        with dask.config.set(settings):
            assert coldaisle(*tried.words())[0] == 0
    assert len(tried.digests()) == 3


def test_jobs_of_an_analysis_are_done_by_workers(tried: Tried) -> None:
    """Results come in the order of the jobs, each job is a program of its own, and what it says when it fails is the error."""
    for _ in range(2):
        tried.cluster.add(tried.command)
    with mapping.mapper_at(tried.cluster.address, tried.folder.path, 1) as mapped:
        assert list(mapped(operator.add, [(number, 1) for number in range(5)])) == [1, 2, 3, 4, 5]
        programs = set(mapped(os.getpid, [()] * 3))
        assert len(programs - {worker.pid for worker in tried.cluster.workers}) == 3
        with pytest.raises(RunError, match=r"a job on .* failed: coldaisle: ZeroDivisionError"):
            list(mapped(operator.truediv, [(1, 1), (1, 0)]))


def test_a_job_that_fails_while_another_is_waited_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several jobs may have ended before the first outcome is looked at; the failed one has no result then, either."""
    answers = {"0": ("", 1), "1": ("coldaisle: ZeroDivisionError", None)}

    class AtOnce:
        """A dealer whose jobs have all ended when the first outcome is asked for."""

        def __init__(self, pool: mapping._Jobs) -> None:
            self._pool = pool

        def deal(self, names: Sequence[str]) -> Iterator[Outcome]:
            return iter([self._pool._outcome(name, "worker", answers[name]) for name in names])

    monkeypatch.setattr(mapping, "Dealer", AtOnce)
    pool = mapping._Jobs.__new__(mapping._Jobs)
    pool.results = {}
    monkeypatch.setattr(pool, "host_of", str, raising=False)
    results = mapping._in_order(pool, list(answers))
    assert next(results) == 1
    with pytest.raises(RunError, match="a job on worker failed: coldaisle: ZeroDivisionError"):
        next(results)


def test_a_cluster_of_one_s_own_starts_and_ends(tmp_path: Path) -> None:
    """`local` starts a scheduler and workers on this machine, which are gone when the work is done."""
    folder = folder_for(made.file(tmp_path, 3), tmp_path / "out")
    with mapping.mapper_at(addresses.LOCAL, folder.path, 2) as mapped:
        workers = set(mapped(os.getppid, [()] * 4))
        assert len(workers) == 2
        assert list(mapped(operator.add, [(1, 1)])) == [2]
    until(lambda: not any(map(is_alive, workers)))


def test_a_scheduler_that_ends_is_one_sentence(tried: Tried, coldaisle: Call) -> None:
    """When the scheduler is killed, the command says so; what is done stays done, and a new scheduler goes on."""
    tried.cluster.add(tried.command)
    made.order(tried.house, tried.folder.weeks[1].digest, "hang")

    def kill() -> None:
        tried.program(tried.folder.weeks[1].digest)
        tried.cluster.scheduler.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    code, _, err = coldaisle(*tried.words())
    killer.join()
    assert code == 2
    assert "the scheduler is gone: start it and its workers, then the same command goes on" in err
    assert tried.folder.is_done(tried.folder.weeks[0])
    assert Manifest.load(tried.folder.run_of(tried.folder.weeks[0])).seed == 1

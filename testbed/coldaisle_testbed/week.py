"""A run: shards played side by side, their pieces joined in order."""

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from pathlib import Path

from coldaisle_contracts.errors import ColdaisleError, FederateError, InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard
from coldaisle_testbed.engines.netns import ShardRun
from coldaisle_testbed.nursery import SOCKET, open_nursery
from coldaisle_testbed.processes import die_with_parent
from coldaisle_testbed.timekeeper import faketime_env

_FORK = multiprocessing.get_context("fork")


def prepare(stage: Path, plan: Plan) -> None:
    """Make an empty run folder: the plan, and room for journals and captures."""
    (stage / "journal").mkdir(parents=True)
    (stage / "capture" / "raw").mkdir(parents=True)
    (stage / "plan.json").write_text(plan.model_dump_json(indent=1), encoding="utf-8")


def faketime_library() -> str:
    """Return the path of libfaketime.

    Raises:
        InputError: if it is not installed.
    """
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        raise InputError("libfaketime", "is not installed: apt-get install faketime")
    return str(found[0])


def play(
    plan: Plan,
    stage: Path,
    shards: int,
    progress: Callable[[str], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Shard]:
    """Play a plan on the netns engine, its shards side by side, into ``stage``.

    Args:
        plan: what to play.
        stage: folder made by :func:`prepare`.
        shards: how many shards at most.
        progress: told one line a step.
        meanwhile: called in a thread of its own once a shard is done and leaves its processor to this process.

    Returns:
        The shards, in order.

    Raises:
        ColdaisleError: the first thing that failed; everything started has ended by then.
    """
    pieces = Shard.split(plan.scenario.days, shards)
    with tempfile.TemporaryDirectory(prefix="coldaisle-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        library = faketime_library()
        (folder / "offset").write_text("+0.000000000s", encoding="ascii")
        nursery = open_nursery(folder, faketime_env(folder, library))
        try:
            _play_all(plan, stage, pieces, folder, library, progress, meanwhile)
        finally:
            nursery.kill()
            nursery.wait()
    join(stage, pieces)
    return pieces


def _play_all(
    plan: Plan,
    stage: Path,
    pieces: list[Shard],
    folder: Path,
    library: str,
    progress: Callable[[str], None],
    meanwhile: Callable[[], None],
) -> None:
    """Fork a process for each shard and wait for all; the first failure ends the others."""
    running: dict[object, tuple[multiprocessing.context.ForkProcess, Shard, Connection]] = {}
    try:
        for shard in pieces:
            ours, theirs = _FORK.Pipe(duplex=False)
            process = _FORK.Process(target=_play_one, args=(plan, shard, stage, folder, library, theirs))
            process.start()
            theirs.close()
            running[ours] = (process, shard, ours)
        beside = threading.Thread(target=meanwhile, daemon=True)  # a failure is heard while it goes on
        while running:
            for ready in wait([pipe for _, _, pipe in running.values()]):
                process, shard, pipe = running.pop(ready)
                try:
                    failure: ColdaisleError | None = pipe.recv()
                except EOFError:
                    failure = FederateError(str(shard), "died")
                process.join()
                if failure is not None:
                    raise failure
                progress(f"{shard} played and sealed")
                if beside.ident is None:
                    beside.start()
        beside.join()
    finally:
        for process, _, _ in running.values():
            process.kill()
            process.join()


def _play_one(plan: Plan, shard: Shard, stage: Path, folder: Path, library: str, result: Connection) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own, federation = stage / "shards" / str(shard), folder / str(shard)
    failure: ColdaisleError | None = None
    try:
        prepare(own, plan)
        federation.mkdir()
        federation.chmod(0o755)
        ShardRun(plan, shard, own, federation, folder / SOCKET, library).play()
    except ColdaisleError as error:
        failure = error
    except OSError as error:
        failure = InputError(
            str(shard), f"{error.strerror or error}: run `coldaisle doctor` to see what this machine lacks"
        )
    except Exception as error:  # noqa: BLE001 - a fault of our own: say where before this process is gone
        last = traceback.extract_tb(error.__traceback__)[-1]
        failure = FederateError(str(shard), "failed", f"{error!r} in {last.name}, line {last.lineno}")
    result.send(failure)


def join(stage: Path, shards: list[Shard]) -> None:
    """Move the captures of the shards into the run's folder and append their journals in order."""
    for shard in shards:
        own = stage / "shards" / str(shard)
        for journal in sorted((own / "journal").iterdir()):
            with (stage / "journal" / journal.name).open("ab") as whole, journal.open("rb") as part:
                shutil.copyfileobj(part, whole)
        for folder in ("capture/raw", "capture"):
            for capture in sorted((own / folder).glob("*.pcap")):
                os.replace(capture, stage / folder / capture.name)  # noqa: PTH105 - one file system, by rename
    shutil.rmtree(stage / "shards")

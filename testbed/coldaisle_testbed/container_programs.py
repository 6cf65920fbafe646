"""Programs of the testbed inside containers: conduct, timekeeper, switch, notebook, finish, page and watch; the environment holds their arguments."""

import json
import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from coldaisle_contracts.errors import ColdaisleError, FederateError, InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard
from coldaisle_contracts.software import FOLDER as SOFTWARE
from coldaisle_testbed import broker_accounts, broker_listeners, provenance, services
from coldaisle_testbed.engines import more_units
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.interrupts import Interrupted

if TYPE_CHECKING:
    from coldaisle_testbed.conduct import Shown

RUNS = Path("/runs").resolve()
"""Folder of the runs; a link in the analysis image."""
PLANNED, KEEPING = Path("/tmp/planned"), Path("/tmp/keeping")  # noqa: S108 - in a container of their own
"""Files for the health checks: the plan exists; the timekeeper serves."""
PAGE_PORT = 8899
"""Port of the desk in its container."""
LISTENER = "mqtt://coldaisle@alarms:1884"
"""The service that takes the alarms of a watch."""


def conduct(env: Mapping[str, str]) -> None:
    """Plan a run of ``COLDAISLE_SCENARIO``, wait for the other containers to play it, and conclude it."""
    from coldaisle_contracts.planning import build_plan  # noqa: PLC0415
    from coldaisle_contracts.scenario import load_scenario  # noqa: PLC0415
    from coldaisle_testbed import conduct as conducting  # noqa: PLC0415
    from coldaisle_testbed import notebook as notebooks  # noqa: PLC0415

    path = Path(env.get("COLDAISLE_SCENARIO") or "/scenarios/week.toml")
    federation = Path(env["COLDAISLE_FEDERATION"])
    with _shown(env) as progress:
        with notebooks.called() as finished:
            progress(
                f"coldaisle {provenance.version()}, commit {_short(provenance.commit())}: planning {path}"
            )
            plan = build_plan(load_scenario(path, _seed(env.get("COLDAISLE_SEED"))), str(path))
            _refuse_other_units(plan, path)
            run = conducting.make(plan, RUNS, federation, progress, PLANNED.touch)
            finished(run.name)
        try:
            conducting.finish(RUNS, progress)
        except ColdaisleError as error:
            progress(f"{error}; this does not affect the new run")


def _refuse_other_units(plan: Plan, path: Path) -> None:
    """Refuse a plan with units that `docker compose up` starts no containers for."""
    if strange := more_units.missing(plan.devices):
        command = f"./coldaisle up {path} --engine compose"
        remedy = f"docker-compose.yml has services for {', '.join(more_units.IN_FILE)} alone: play it with {command}"
        raise InputError(f"{path}: unit", remedy, strange[0])


@contextmanager
def _shown(env: Mapping[str, str]) -> Iterator["Shown"]:
    """Yield a progress that gives paths as they are on the machine; an error within the block gives them so, too."""
    from coldaisle_testbed import conduct as conducting  # noqa: PLC0415

    progress = conducting.Shown(RUNS, env.get("COLDAISLE_SHOWN_RUNS") or str(RUNS))
    try:
        yield progress
    except ColdaisleError as error:
        error.args = tuple(progress.outside(str(part)) for part in error.args)
        error.__notes__ = [progress.outside(note) for note in getattr(error, "__notes__", ())]
        raise


def _short(commit: str) -> str:
    """Return the first digits of a commit, and whether files were changed."""
    digits, dash, changed = commit.partition("-")
    return f"{digits[:12] or 'unknown'}{dash}{changed}"


def _seed(text: str | None) -> int | None:
    if text and not text.isdecimal():
        raise InputError("COLDAISLE_SEED", "write a whole number from 0 on", text)
    return int(text) if text else None


def timekeeper(env: Mapping[str, str]) -> None:
    """Keep time for the shard ``COLDAISLE_SHARD``, by default all days of the run, in the folder ``COLDAISLE_FEDERATION``."""
    from coldaisle_testbed.timekeeper import VERDICT, keeper_of  # noqa: PLC0415

    run, folder = Path(env["COLDAISLE_RUN"]), Path(env["COLDAISLE_FEDERATION"])
    plan = Plan.load(run / "plan.json")
    shard = Shard.parse(env.get("COLDAISLE_SHARD", ""), plan.scenario.days)
    with held(folder) as is_ours:
        if not is_ours:
            raise FederateError(
                "another timekeeper",
                "serves this folder already",
                remedy="wait for that run, or end it with `docker compose down`",
            )
        for stale in folder.iterdir():
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        software = folder / SOFTWARE
        software.mkdir()
        software.chmod(0o770)  # the daemons write their notes into it
        broker_accounts.write(folder, plan.scenario.accounts)
        broker_listeners.certify(folder, plan)
        broker_listeners.write(folder, plan.scenario.site.broker, run / "capture")
        services.write(folder, plan)
        keeper = keeper_of(plan, shard, folder, run, _Maker(run).check)
        KEEPING.touch()
        verdict = {"name": "timekeeper", "what": "failed"}
        try:
            keeper.serve()
            (run / SOFTWARE).mkdir(exist_ok=True)
            for handed_in in software.iterdir():
                shutil.copyfile(handed_in, run / SOFTWARE / handed_in.name)
            verdict = {}
        except FederateError as error:
            verdict = {"name": error.name, "what": error.what}
            raise
        finally:
            (folder / VERDICT).write_text(json.dumps(verdict), encoding="utf-8")


class _Maker:
    """Watch on the process that makes the run, by the lock that it holds on the run's folder."""

    def __init__(self, run: Path) -> None:
        self._run, self._seen = run.resolve(), False

    def check(self) -> None:
        """Raise when a lock that was seen is gone; a lock may never be visible here, as behind a virtual machine."""
        if is_held(self._run):
            self._seen = True
        elif self._seen:
            raise FederateError("the program that makes this run", "has ended")


def switch(env: Mapping[str, str]) -> None:
    """Run the Ethernet switch of the test network until the process is ended."""
    from coldaisle_testbed.switch import Switch  # noqa: PLC0415 - the only one that needs pyroute2

    Switch(Path(env["COLDAISLE_FEDERATION"])).serve()


def notebook(env: Mapping[str, str]) -> None:
    """Serve JupyterLab, and print the addresses of the report and the notebooks."""
    from coldaisle_testbed import notebook as notebooks  # noqa: PLC0415

    token = env.get("COLDAISLE_TOKEN") or secrets.token_urlsafe(24)
    with suppress(Interrupted):  # the way it ends
        notebooks.serve(notebooks.Address(env.get("COLDAISLE_PORT") or "8888", token))


def page(env: Mapping[str, str]) -> None:
    """Serve the desk, a live page over the runs, for as long as the service notebook runs."""
    from coldaisle_desk import serve as serving  # noqa: PLC0415
    from coldaisle_testbed import notebook as notebooks  # noqa: PLC0415

    notebooks.when_it_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))
    shelf = serving.shelf_of(None, RUNS, is_held)
    port, token = int(env.get("COLDAISLE_DESK_PORT") or PAGE_PORT), env.get("COLDAISLE_TOKEN", "")
    with suppress(Interrupted):  # the way it ends
        serving.serve(shelf, PAGE_PORT, token, notebooks.say_desk, host="0.0.0.0", shown=port)  # noqa: S104 - published on loopback


def finish(env: Mapping[str, str]) -> None:
    """Conclude runs that were played and not concluded."""
    from coldaisle_testbed import conduct as conducting  # noqa: PLC0415

    with _shown(env) as progress:
        if not conducting.finish(RUNS, progress):
            progress("every run that was played is finished")


def watch(env: Mapping[str, str]) -> None:
    """Watch the run that is being made with the detector ``COLDAISLE_MODEL`` and its policy ``COLDAISLE_POLICY``; publish its alarms."""
    from coldaisle_testbed import conduct as conducting  # noqa: PLC0415
    from coldaisle_testbed import live  # noqa: PLC0415

    model, policy = env.get("COLDAISLE_MODEL"), env.get("COLDAISLE_POLICY") or "best F1"
    with _shown(env) as progress:
        where = live.Address.parse(LISTENER, RUNS / "alarms" / "password")
        live.watch(
            RUNS, RUNS / conducting.LINK, Path(model) if model else None, policy, None, where, progress
        )

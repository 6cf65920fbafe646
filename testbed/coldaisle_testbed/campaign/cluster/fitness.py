"""Whether workers are fit for a campaign: reached by nobody else, with the same software, and with the campaign's folder in its place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coldaisle_contracts.errors import InputError
from coldaisle_testbed.campaign.cluster import addresses
from coldaisle_testbed.campaign.cluster.on_worker import Facts

LABEL = "coldaisle"
"""The resource that a worker offers which may play weeks."""
_COMPARED = ("dask", "distributed")


def offering(workers: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the workers that offer the label, each with the number of weeks that it plays at a time: its threads.

    Args:
        workers: what the scheduler knows of each worker, by address.
    """
    return {
        address: int(known["nthreads"])
        for address, known in workers.items()
        if known["resources"].get(LABEL, 0) >= 1
    }


def refuse_reachable(address: str, name: str) -> None:
    """Refuse a worker that listens where others reach it.

    Raises:
        InputError: naming it.
    """
    addresses.checked(address, f"address of worker {name}")


def refuse_other_dask(versions: Mapping[str, Any]) -> None:
    """Refuse another Dask or Python on the scheduler or a worker.

    Args:
        versions: the versions of client, scheduler and workers, as Dask returns them.

    Raises:
        InputError: naming the first difference.
    """
    ours = _of_dask(versions["client"])
    others = {"the scheduler": versions["scheduler"]} | {
        f"worker {address}": held for address, held in versions["workers"].items()
    }
    for whose, held in others.items():
        for name, version in _of_dask(held).items():
            if version != ours[name]:
                raise _different(whose, name, version, ours[name])


def _of_dask(held: Mapping[str, Any]) -> dict[str, str]:
    python = ".".join(str(held["host"]["python"]).split(".")[:2])
    return {"Python": python} | {name: str(held["packages"][name]) for name in _COMPARED}


def refuse_unfit(ours: Facts, theirs: Mapping[str, Facts | BaseException], folder: Path) -> None:
    """Refuse workers with another coldaisle, or without the campaign's folder.

    Args:
        ours: facts of this process.
        theirs: facts of each worker by its address, or the error with which it answered.
        folder: the campaign's folder.

    Raises:
        InputError: naming the first worker that is not fit.
    """
    for address, held in theirs.items():
        if isinstance(held, BaseException):
            remedy = (
                f"it cannot run coldaisle ({held}): install it there, and start the worker from its .venv"
            )
            raise InputError(f"worker {address}", remedy)
        whose = f"worker {address} on {held['host']}"
        for name in _differences(ours, held):
            raise _different(whose, name, held[name], ours[name])
        if held["tasks"] != ours["tasks"]:
            remedy = "it is not the campaign's folder there: mount that folder at the same place"
            raise InputError(f"{whose}: {folder}", remedy)


def _differences(ours: Facts, theirs: Facts) -> Iterator[str]:
    """Yield what differs; a commit is compared where both are checkouts."""
    for name in ("coldaisle", "commit"):
        if theirs[name] != ours[name] and (name != "commit" or (theirs[name] and ours[name])):
            yield name


def _different(whose: str, name: str, theirs: str, ours: str) -> InputError:
    return InputError(f"{name} of {whose}", f"install {ours} there, which is the version here", theirs)

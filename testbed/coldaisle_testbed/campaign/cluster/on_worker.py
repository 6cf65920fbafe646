"""What runs on a worker: it says what it is, attempts weeks, and stops when it is told to. What it answers is small."""

import select
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coldaisle_contracts.campaign import TASKS, CampaignFolder
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import sha256_of
from coldaisle_contracts.unforeseen import as_known
from coldaisle_testbed import provenance
from coldaisle_testbed.campaign.attempt import LOOK_S, Attempt
from coldaisle_testbed.campaign.cluster import job
from coldaisle_testbed.campaign.names import host, runner
from coldaisle_testbed.campaign.outcome import Ending, Outcome

Facts = dict[str, str]
_stopped: set[str] = set()
"""Tickets of the attempts that are to end."""


def facts(folder: str) -> Facts:
    """Return what a worker is: machine, process, version of coldaisle, and the sha256 of the list of weeks that it sees."""
    tasks = Path(folder) / TASKS
    return {
        "host": host(),
        "runner": runner(),
        "coldaisle": provenance.version(),
        "commit": provenance.commit().removesuffix("-dirty"),
        "tasks": sha256_of(tasks) if tasks.is_file() else "",
    }


def play(folder: str, digest: str, ticket: str, gone: list[str]) -> str:
    """Attempt a week and return its outcome as JSON.

    Args:
        folder: the campaign's folder, as this machine sees it.
        digest: name of the week.
        ticket: name of this attempt, by which it may be stopped.
        gone: runners that lost the week before; their claims do not count.
    """
    try:
        return _attempted(CampaignFolder(Path(folder)), digest, ticket, gone).model_dump_json()
    except Exception as error:  # noqa: BLE001 - an error crosses machines as a sentence
        known = as_known(error)
        ending: Ending = "refused" if isinstance(known, InputError) else "failed"
        return Outcome(
            digest=digest, ending=ending, sentence=str(known), host=host(), began=datetime.now(UTC)
        ).model_dump_json()


def _attempted(folder: CampaignFolder, digest: str, ticket: str, gone: list[str]) -> Outcome:
    week = next(week for week in folder.weeks if week.digest == digest)
    trying = Attempt(folder, week, gone)
    try:
        while (outcome := trying.look()) is None:
            if ticket in _stopped:
                return Outcome(digest=digest, ending="elsewhere", host=host(), began=datetime.now(UTC))
            select.select([trying.watch], [], [], LOOK_S)
        return outcome
    finally:
        trying.end()


def stop(tickets: list[str]) -> None:
    """End attempts, and with each the program that plays."""
    _stopped.update(tickets)


def call(payload: bytes, ticket: str) -> tuple[str, Any]:
    """Do a job, see :func:`coldaisle_testbed.campaign.cluster.job.called`."""
    return job.called(payload, _stopped, ticket)

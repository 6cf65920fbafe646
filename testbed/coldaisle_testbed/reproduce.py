"""Reproduction of a finished run: its plan is played again and the outcomes are compared."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, semantic_digest, settle
from coldaisle_contracts.analyses import sealed_around
from coldaisle_contracts.errors import TrustError
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import planned_again
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import stage_for

Play = Callable[[Plan, Path], object]
"""Plays a plan into an empty folder."""
_COMPARED = ["sent", "fate", "after", "episode", "copies"]


def reproduce(run: Path, play: Play, progress: Progress) -> str:
    """Play the plan of a run again, in a folder beside it, and compare the outcome of every reading and act.

    Args:
        run: folder of the finished run, or its manifest alone, which holds the scenario.
        play: plays a plan into a folder.
        progress: called with one line per step.

    Returns:
        A sentence that states the equality.

    Raises:
        InputError: if it is neither, this version makes another plan from its scenario, or nothing can be written beside it.
        TrustError: if the plan is not that of the manifest, the ledger does not add up, or an outcome differs.
    """
    run = run.resolve()
    if run.is_file():
        run = sealed_around(run) or run  # a manifest inside its run stands for the run
    manifest = Manifest.load(run)
    manifest.refuse_missing(run if run.is_file() else run / MANIFEST)
    plan = _plan_of(run, manifest)
    with stage_for(run.parent / f"{run.name}.again") as stage:
        try:
            play(plan, stage)
            with progress.step("settling the ledger"):
                account = settle(stage)
                if broken := ledger.check(stage, account):
                    raise TrustError(broken)
                digest = semantic_digest(account)
            if digest != manifest.semantic_digest:
                where = (
                    _first_difference(run, account)
                    if run.is_dir()
                    else "the folder of the run is needed to find where"
                )
                raise TrustError([f"semantic digest {digest} is not the manifest's; {where}"])
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    counts = manifest.counts
    return (
        f"{manifest.id}: played again, all {counts['readings']:,} readings and {counts['acts']:,} acts had the same outcome; "
        f"semantic digest {digest}"
    )


def _plan_of(run: Path, manifest: Manifest) -> Plan:
    """Return the plan in a run's folder, or the plan that follows from its manifest."""
    if run.is_file():
        return planned_again(manifest, str(run))
    plan = Plan.load(run / "plan.json")
    if plan.digest() != manifest.plan_digest:
        raise TrustError([f"{run / 'plan.json'} is not the plan of the manifest"])
    return plan


def _first_difference(run: Path, again: Account) -> str:
    """Return a sentence on the first reading with another outcome."""
    before, after = (_outcomes(account) for account in (settle(run), again))
    differs = ~((before == after) | (before.isna() & after.isna())).all(axis=1)
    if not differs.any():
        return "every reading had the same outcome, but the acts did not"
    client, slot = before.index[int(differs.to_numpy().argmax())]
    was, now = (
        ", ".join(f"{name} {value}" for name, value in table.loc[(client, slot)].items())
        for table in (before, after)
    )
    return (
        f"{int(differs.sum())} of {len(differs)} readings had another outcome, first slot {slot} of client {client}: "
        f"{was}; again {now}"
    )


def _outcomes(account: Account) -> pd.DataFrame:
    return account.readings.set_index(["client_id", "slot"])[_COMPARED].astype("object")

"""The trial of a kind: a short real run of every variant of it, and all checks."""

from collections.abc import Iterator
from pathlib import Path

from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.taxonomy import Kind
from coldaisle_testbed import making, verification
from coldaisle_testbed.obedience import kept, layout, planned, whole
from coldaisle_testbed.obedience.observed import Played
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order


def problems(kind: Kind, folder: Path, seed: int) -> Iterator[str]:
    """Plan, play, label and verify every variant of a kind, and yield a sentence per problem.

    A plan with a problem is not played.

    Args:
        kind: the kind.
        folder: an existing folder, in which the run is made.
        seed: seed of the scenario.

    Raises:
        ColdaisleError: if the run cannot be made, or is not trustworthy.
    """
    plan = build_plan(layout.scenario([kind], seed))
    wrong = [sentence for check in planned.CHECKS for sentence in check(kind, plan)]
    yield from wrong
    if not wrong:
        yield from _of_run(kind, plan, folder)


def _of_run(kind: Kind, plan: Plan, folder: Path) -> Iterator[str]:
    order = Order(engine="netns", shards=1, analyse=False, latest=False)
    run = making.begin(plan, order, folder, folder / kind.name, Progress())
    played = Played(run, plan)
    for of_kind in kept.CHECKS:
        yield from of_kind(kind, played)
    for of_run in whole.CHECKS:
        yield from of_run(played)
    proof = verification.verify(run).proof
    if (proof.precision, proof.recall, proof.unexplained) != (1, 1, 0):
        yield f"label precision {proof.precision}, recall {proof.recall}, {proof.unexplained} unexplained frames"

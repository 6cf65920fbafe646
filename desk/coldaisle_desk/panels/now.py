"""Now: the two clocks, how fast virtual time runs, what is being done, and what was lost."""

from typing import Any

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.manifest import instant
from coldaisle_desk.view import View, spell
from coldaisle_desk.watched import State

WORDS: dict[State, str] = {
    "waiting": "waiting for the run to begin",
    "playing": "playing",
    "labelling": "played; the ledger is being settled and the dataset written",
    "left": "left unfinished: nobody is making it now",
    "sealed": "sealed, not analysed",
    "analysing": "sealed; models are being trained",
    "audited": "sealed and audited; no models",
    "analysed": "sealed and analysed",
}
"""Each state in words."""
_RECENT = 5 * SECOND
"""Wall time over which the present factor is measured, in ns."""


def context(view: View) -> dict[str, Any]:
    """Return the values of the panel."""
    run = view.run
    shards = [_shard(view, name) for name in sorted(run.record.paces, key=_number)]
    sealed = {name for name, _, _ in run.record.captured.values()}
    return {
        "state": run.state,
        "words": WORDS[run.state],
        "shards": shards,
        "sealed": len(sealed),
        "total": run.shards,
        "days": view.plan.scenario.days,
        "wall": f"{instant(run.wall_now_ns):%Y-%m-%d %H:%M:%S}",
        "at": "" if view.at_ns is None else view.local(view.at_ns),
        "drops": sum(drops for _, _, drops in run.record.captured.values()),
        "packets": run.manifest.counts["packets"]
        if run.manifest
        else sum(n for _, n, _ in run.record.captured.values()),
        "ledger": run.manifest is not None,
        "odd": run.record.odd + run.books.odd + sum(tail.odd for tail in run._tails.values()),  # noqa: SLF001
        "seconds": run.manifest.seconds if run.manifest else {},
    }


def _number(shard: str) -> tuple[int, str]:
    digits = shard.removeprefix("day-").partition("-")[0]
    return int(digits) if digits.isdecimal() else 0, shard


def _shard(view: View, name: str) -> dict[str, Any]:
    """Return virtual clock, progress and factor of a shard."""
    run = view.run
    pace = run.record.paces[name]
    begin, end = pace.walls[0] + pace.offsets[0], run.end_of(name)
    now = min(run.now_ns(name), view.until_ns)
    sealed = any(of == name for of, _, _ in run.record.captured.values())
    live = run.is_live and not sealed
    wall = run.wall_now_ns if live else pace.wall_at(now)
    since = max(pace.walls[0], wall - _RECENT) if live else pace.walls[0]
    spent = max(1, wall - since)
    virtual = now - (pace.virtual_ns(since) if live else begin)
    return {
        "name": name,
        "virtual": view.local(max(begin, now)),
        "share": round(100 * min(1, max(0, (now - begin) / max(1, end - begin))), 1),
        "factor": f"{max(0, virtual) / spent:,.0f}",
        "took": spell(max(0, wall - pace.walls[0])),
        "sealed": sealed,
    }

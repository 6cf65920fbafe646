"""Sentences on what a careless split of the rows would make of the scores."""

from collections.abc import Iterator, Sequence

from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import WITH_IDENTITY
from coldaisle_analysis.report.conclusions.sentence import Sentence
from coldaisle_analysis.report.lookup import row_of, title


def leaks(scored: Sequence[Scored], bests: Sequence[MetricsRow]) -> Iterator[Sentence]:
    """Say what random folds add to F1, and what identity columns do."""
    random = [
        (best, twin["f1"])
        for best in bests
        if (twin := row_of(scored, best["level"], "random", best["model"]))
    ]
    if random:
        told = (f"{best['level']} {f1:.2f} ({f1 - best['f1']:+.2f})" for best, f1 in random)
        yield Sentence("Leaks", f"Under random folds the same models score F1: {', '.join(told)}.", "leak")
    identity = [text for best in bests if (text := _identity(scored, best["level"], best["split"]))]
    if identity:
        yield Sentence(
            "Leaks",
            f"Given addresses, ports and the other identity columns, {title(WITH_IDENTITY).lower()} changes in F1: "
            f"{'; '.join(identity)}. They are out of all other rows.",
            "leak",
        )


def _identity(scored: Sequence[Scored], level: str, split: str) -> str:
    """Return what identity columns change under random folds and under the honest ones, empty where that was not played."""
    wanted = [
        row_of(scored, level, name, WITH_IDENTITY)
        for name in ("random", "random+identity", split, f"{split}+identity")
    ]
    found = [row["f1"] for row in wanted if row]
    if len(found) < len(wanted):
        return ""
    return (
        f"{level} from {found[0]:.2f} to {found[1]:.2f} under random folds, from {found[2]:.2f} to {found[3]:.2f} with whole "
        f"{split}s held out"
    )

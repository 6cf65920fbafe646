"""Sentences on leakage: how much a random split and identity columns change the scores."""

from collections.abc import Iterator, Sequence

from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import WITH_IDENTITY
from coldaisle_analysis.report.conclusions.sentence import Sentence
from coldaisle_analysis.report.lookup import row_of, title


def leaks(scored: Sequence[Scored], bests: Sequence[MetricsRow]) -> Iterator[Sentence]:
    """Yield the changes of F1 by a random split and by identity columns."""
    pairs = ((best, row_of(scored, best["level"], "random", best["model"])) for best in bests)
    changes = [
        f"{best['level']} {random['f1']:.2f} ({random['f1'] - best['f1']:+.2f})"
        for best, random in pairs
        if random
    ]
    if changes:
        text = f"With rows split at random, the same models score F1: {', '.join(changes)}. The difference is leakage."
        yield Sentence("Leakage", text, "leak")
    identity = [text for best in bests if (text := _identity(scored, best["level"], best["split"]))]
    if identity:
        yield Sentence(
            "Leakage",
            f"With addresses, ports and the other identity columns, the F1 of the {title(WITH_IDENTITY).lower()} changes: "
            f"{'; '.join(identity)}. No other result here uses these columns.",
            "leak",
        )


def _identity(scored: Sequence[Scored], level: str, split: str) -> str:
    """Return the change of F1 by identity columns, on the random and on the grouped split; empty if one was not scored."""
    names = ("random", "random+identity", split, f"{split}+identity")
    f1 = [row["f1"] for name in names if (row := row_of(scored, level, name, WITH_IDENTITY))]
    if len(f1) < len(names):
        return ""
    return (
        f"{level} from {f1[0]:.2f} to {f1[1]:.2f} with rows split at random, from {f1[2]:.2f} to {f1[3]:.2f} with whole "
        f"{split}s held out"
    )

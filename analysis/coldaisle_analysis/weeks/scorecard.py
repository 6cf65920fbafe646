"""The scorecard of a campaign: each check of the audit over all weeks, with the worst of them, and checks of the split itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from coldaisle_analysis.audit import Result, Status
from coldaisle_analysis.weeks.facts import CampaignFacts
from coldaisle_analysis.weeks.splits import ROLES
from coldaisle_contracts.kinds import KINDS

NOTE = (
    "Each check was made on every week, and stands here as in the worst week, with the number of weeks of each status. W1 to W4 look "
    "at the split. These are signals with their evidence, not verdicts: a signal may be the very nature of an attack."
)
FEW = 5
"""Number of test episodes of a kind below which its recall says little."""
_ORDER = (Status.ABSENT, Status.OK, Status.LOOK, Status.BAD)
Row = dict[str, Any]


class Scorecard:
    """Gathers the audits of weeks, one after another; its size does not grow with them."""

    def __init__(self) -> None:
        self._worst: dict[tuple[str, str], Row] = {}
        self._weeks: dict[tuple[str, str], Counter[str]] = {}

    def add(self, week: str, results: Sequence[Result]) -> None:
        """Add the audit of a week.

        Args:
            week: its name.
            results: the results of its checks.
        """
        for result in results:
            key = (result.check.id, result.level)
            row = result.row() | {"week": week}
            worst = self._worst.get(key)
            if worst is None or _loudness(row) > _loudness(worst):
                self._worst[key] = row
            self._weeks.setdefault(key, Counter())[str(result.status)] += 1

    def as_dict(self, facts: CampaignFacts) -> dict[str, Any]:
        """Return the scorecard as the content of ``SCORECARD.json``.

        Args:
            facts: the campaign.
        """
        rows = [row | {"weeks": _counts(self._weeks[key])} for key, row in self._worst.items()]
        rows += split_checks(facts)
        counts = _counts(Counter(row["status"] for row in rows))
        return {"subject": facts.title, "note": NOTE, "counts": counts, "checks": rows}


def _loudness(row: Row) -> tuple[int, float]:
    value = row["value"]
    return _ORDER.index(Status(row["status"])), -1.0 if value is None else value


def _counts(statuses: Mapping[str, int]) -> dict[str, int]:
    return {str(status): statuses.get(str(status), 0) for status in Status}


def split_checks(facts: CampaignFacts) -> list[Row]:
    """Return the checks of the split, in the form of the audit's.

    Args:
        facts: the campaign.
    """
    return [_one_side(facts), _trained(facts), _tested(facts), _versions(facts)]


def _one_side(facts: CampaignFacts) -> Row:
    plans: dict[str, list[str]] = {}
    for week in facts.weeks:
        plans.setdefault(week.member.plan_digest, []).append(week.member.week)
    twice = [{"weeks": names} for names in plans.values() if len(names) > 1]
    sentence = f"{len(twice)} plans were played in more than one week."
    return _row("W1", "each week once", "plans that more than one week has", (1, 1), twice, sentence)


def _trained(facts: CampaignFacts) -> Row:
    known = set(facts.kinds("train"))
    held_out: Counter[str] = Counter()
    for role in ROLES[1:]:
        held_out.update(facts.kinds(role))
    strange = [{"kind": kind, "episodes": held_out[kind]} for kind in held_out if kind not in known]
    sentence = (
        f"{len(strange)} of {len(held_out)} kinds of validation and test weeks are in no training week."
    )
    return _row(
        "W2", "kinds in training weeks", "kinds held out that training lacks", (1, 5), strange, sentence
    )


def _tested(facts: CampaignFacts) -> Row:
    tested = facts.kinds("test")
    attacks = [kind for kind in facts.kinds() if not KINDS[kind].benign]
    few = [{"kind": kind, "episodes": tested[kind]} for kind in attacks if tested[kind] < FEW]
    sentence = (
        f"{len(few)} of {len(attacks)} kinds of attack have fewer than {FEW} episodes in the test weeks."
    )
    means = f"kinds of attack with fewer than {FEW} test episodes"
    return _row("W3", "enough test episodes", means, (1, 1_000), few, sentence)


def _versions(facts: CampaignFacts) -> Row:
    made = Counter(week.made_by for week in facts.weeks)
    others = [{"made_by": name, "weeks": count} for name, count in made.most_common()][1:]
    sentence = f"The weeks were made by {len(made)} version{'s' * (len(made) != 1)} of coldaisle."
    return _row("W4", "one version", "versions of coldaisle beyond the first", (1, 1_000), others, sentence)


def _row(
    name: str, title: str, means: str, limits: tuple[int, int], evidence: list[Row], sentence: str
) -> Row:
    """Return a check of the split as a row; its value is the number of pieces of evidence."""
    look, bad = limits
    value = len(evidence)
    status = Status.BAD if value >= bad else Status.LOOK if value >= look else Status.OK
    return {
        "id": name,
        "level": "campaign",
        "name": title,
        "value": value,
        "means": means,
        "threshold": {"look": look, "bad": bad},
        "status": str(status),
        "sentence": sentence,
        "evidence": evidence[:8],
        "source": "coldaisle",
    }

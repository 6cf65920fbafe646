"""The datasheet of an exported campaign in Markdown, with the sections of Gebru et al., Datasheets for Datasets, CACM 64(12), 2021."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from coldaisle_analysis.columns import columns
from coldaisle_analysis.metadata import responsible
from coldaisle_analysis.metadata.facts import ROWS
from coldaisle_analysis.weeks.croissant import citation
from coldaisle_analysis.weeks.facts import CampaignFacts
from coldaisle_analysis.weeks.splits import ROLES
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.taxonomy import ATTACK_MATRIX

Card = Mapping[str, Any]
NO_LICENCE = "No licence is given: none of the campaign's scenarios has a table `[publish]`. Without one nobody else may use the data."


def datasheet(facts: CampaignFacts, card: Card) -> str:
    """Return the datasheet of an exported campaign.

    Args:
        facts: the campaign.
        card: its scorecard.
    """
    parts = [
        f"# Datasheet of {facts.title}",
        f"Written from manifests and plans of its weeks, made by {', '.join(facts.made_by)}.",
    ]
    for title, section in SECTIONS.items():
        parts += [f"## {title}", *section(facts, card)]
    return "\n\n".join(parts) + "\n"


def _motivation(facts: CampaignFacts, _: Card) -> Iterator[str]:
    yield (
        "**Purpose.** To train and compare detectors of anomalies in the traffic of IoT sensors on weeks that have nothing but the "
        "scenario in common, on data whose truth is known for every packet. The setting follows Vigoya et al., Sensors 2020, 20(13), 3745."
    )
    played = [f"* `{scenario}`: {setting}." for scenario, setting in facts.settings.items()]
    yield "**What was played.** Each week has a seed of its own, from which times, targets and sizes of its anomalies follow."
    yield "\n".join(played)
    if facts.publish:
        authors = ", ".join(author.name for author in facts.publish.authors)
        yield f"**Who made it.** {authors}, with {', '.join(facts.made_by)}."


def _composition(facts: CampaignFacts, _: Card) -> Iterator[str]:
    rows = [
        f"| {level} | {ROWS[level]} | {count:,} | {facts.attacks[level]:,} | {len(columns(level))} |"
        for level, count in facts.rows.items()
    ]
    yield "**Instances.** Five levels:"
    yield "\n".join(["| level | one row per | rows | attacks | columns |", "|---|---|---|---|---|", *rows])
    yield "**Splits.** Whole weeks; `splits/` names each with the sha256 of its manifest. Check W1 looks for a plan that two of them have."
    yield "\n".join(_weeks(facts))
    yield f"**Kinds.** Techniques are those of {ATTACK_MATRIX}. Episodes of each subset:"
    yield "\n".join(_kinds(facts))
    if facts.missing:
        yield f"**Not played.** {len(facts.missing)} weeks of the campaign: {', '.join(facts.missing)}."
    drops = sum(week.kernel_drops for week in facts.weeks)
    yield f"**Missing.** {responsible.MISSING} Packets the kernel dropped: {drops}."
    yield f"**People.** {responsible.PERSONAL}"


def _weeks(facts: CampaignFacts) -> Iterator[str]:
    yield "| subset | weeks | episodes of attacks | readings | attacked readings |\n|---|---|---|---|---|"
    for role in facts.subsets:
        weeks = facts.of_role(role)
        episodes = sum(count for kind, count in facts.kinds(role).items() if not KINDS[kind].benign)
        readings = sum(week.rows["readings"] for week in weeks)
        attacked = sum(week.attacks["readings"] for week in weeks)
        yield f"| {role} | {len(weeks)} | {episodes} | {readings:,} | {attacked:,} |"


def _kinds(facts: CampaignFacts) -> Iterator[str]:
    played = {role: facts.kinds(role) for role in ROLES}
    yield f"| kind | family | technique | {' | '.join(ROLES)} |\n|---|---|---|---|---|---|"
    for kind in facts.kinds():
        counts = " | ".join(str(played[role][kind]) for role in ROLES)
        yield f"| {kind} | {KINDS[kind].family} | {KINDS[kind].technique or 'none'} | {counts} |"


def _collection(facts: CampaignFacts, _: Card) -> Iterator[str]:
    yield f"**How.** {responsible.COLLECTION} {responsible.TEMPERATURES}"
    if facts.captured:
        yield f"**When.** Captured between {facts.captured[0]} and {facts.captured[1]}; each week has its own virtual time."
    yield f"**With.** {', '.join(facts.tools)}."
    yield f"**Ethics.** {responsible.IMPACT}"


def _preprocessing(_: CampaignFacts, card: Card) -> Iterator[str]:
    yield f"**Labelling.** {responsible.LABELLING}"
    yield f"**Checks.** {responsible.CONSERVATION}"
    yield (
        "**Preprocessing.** Frames are decoded and causal features computed within each week; nothing is sampled, scaled or imputed. "
        "Captures and journals stay with the runs of the campaign."
    )
    findings = [
        f"| {check['id']} | {check['level']} | {check['status']} | {check['sentence']} | {check.get('week', '')} |"
        for check in card["checks"]
        if check["status"] in ("look", "bad")
    ]
    counts = ", ".join(f"{count} {status}" for status, count in card["counts"].items())
    yield f"**Audit.** {counts}; `SCORECARD.json` has them all, each as in its worst week. Findings that ask for a human's eyes:"
    yield "\n".join(["| check | level | status | finding | worst week |", "|---|---|---|---|---|", *findings])


def _uses(_: CampaignFacts, __: Card) -> Iterator[str]:
    yield "**For.** " + " ".join(responsible.USES)
    yield "**Not for.** " + " ".join(responsible.MISUSES)
    yield "**Limits.** " + " ".join(responsible.LIMITS)
    yield "**Biases.** " + " ".join(responsible.BIASES)


def _distribution(facts: CampaignFacts, _: Card) -> Iterator[str]:
    yield "**Files.** `SHA256SUMS` has the sha256 of each; `croissant.json` describes rows and columns to machines, `COLUMNS.md` to people."
    if facts.publish is None:
        yield f"**Licence.** {NO_LICENCE}"
        return
    yield f"**Licence.** {facts.publish.licence} ({facts.publish.terms})."
    where = [part for part in (facts.publish.publisher, facts.publish.url, facts.publish.doi_url) if part]
    if where:
        yield f"**Where.** {', '.join(where)}."
    yield f"**To cite it.** `{citation(facts)}`"


def _maintenance(facts: CampaignFacts, _: Card) -> Iterator[str]:
    yield "**Changes.** A week is never changed: another seed or version makes another week, and other weeks make another split."
    if facts.publish and facts.publish.contact:
        yield f"**Contact.** {facts.publish.contact}"
    yield (
        f"**Identity.** Split `{facts.split}`: equal wherever these weeks are played. The sha256 of `SHA256SUMS` stands for all files."
    )


SECTIONS: dict[str, Callable[[CampaignFacts, Card], Iterator[str]]] = {
    "Motivation": _motivation,
    "Composition": _composition,
    "Collection process": _collection,
    "Preprocessing, cleaning, labelling": _preprocessing,
    "Uses": _uses,
    "Distribution": _distribution,
    "Maintenance": _maintenance,
}
"""The sections, in their order."""

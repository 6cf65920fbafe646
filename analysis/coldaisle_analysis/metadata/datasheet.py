"""The datasheet of a run in Markdown, with the sections of Gebru et al., Datasheets for Datasets, CACM 64(12), 2021."""

from collections.abc import Callable, Iterator

from coldaisle_analysis.metadata import responsible
from coldaisle_analysis.metadata.croissant import citation
from coldaisle_analysis.metadata.facts import OWN, ROWS, Facts
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.publish import Author
from coldaisle_contracts.taxonomy import ATTACK_MATRIX

Section = Callable[[Facts], Iterator[str]]


def datasheet(facts: Facts) -> str:
    """Return the datasheet of a run."""
    parts = [
        f"# Datasheet of run {facts.manifest.id}",
        f"Written from its manifest and plan by {facts.manifest.made_by}.",
    ]
    for title, section in SECTIONS.items():
        parts += [f"## {title}", *section(facts)]
    return "\n\n".join(parts)


def _motivation(facts: Facts) -> Iterator[str]:
    yield (
        "**Purpose.** To train and compare detectors of anomalies in the traffic of IoT sensors, and how early they alarm, on data "
        "whose truth is known for every packet. The setting follows Vigoya et al., Sensors 2020, 20(13), 3745."
    )
    yield f"**What was played.** {facts.setting}. Scenario `{facts.manifest.scenario}`, seed {facts.manifest.seed}."
    yield f"**Who made it.** {', '.join(_named(author) for author in facts.publish.authors)}, with {facts.manifest.made_by}."


def _named(author: Author) -> str:
    """Return an author with affiliation and ORCID, as far as they are known."""
    details = [part for part in (author.affiliation, author.orcid and f"ORCID {author.orcid}") if part]
    return f"{author.name} ({', '.join(details)})" if details else author.name


def _composition(facts: Facts) -> Iterator[str]:
    counts = facts.manifest.counts
    levels = [
        f"| {level} | {ROWS[level]} | {rows:,} | {len(facts.columns_of(level))} |"
        for level, rows in facts.rows.items()
    ]
    has_csv = any(name.startswith("dataset/") and name.endswith(".csv") for name in facts.manifest.files)
    yield f"**Instances.** Five levels, each as Parquet{' and CSV' if has_csv else ''}:"
    yield "\n".join(["| level | one row per | rows | columns |", "|---|---|---|---|", *levels])
    yield (
        f"**Labels.** {counts['packets_attack']:,} of {counts['packets']:,} packets and {counts['readings_attack']:,} of "
        f"{counts['readings']:,} readings are attacks, in {facts.kinds.total() - facts.benign} episodes; {facts.benign} "
        f"further episodes are benign anomalies. Together they have {counts['acts']:,} acts."
    )
    yield from _episodes(facts)
    yield from _chains(facts)
    yield f"**Missing.** {responsible.MISSING} Packets the kernel dropped: {counts['kernel_drops']}."
    yield (
        "**Splits.** Whole days in order of time (`load_run(subset=…)`), no episode on both sides. Identity columns leak and are no "
        "features."
    )
    yield f"**People.** {responsible.PERSONAL}"


def _episodes(facts: Facts) -> Iterator[str]:
    """Yield a table of the kinds that were played, and nothing if there were none."""
    if not facts.kinds:
        return
    rows = [
        f"| {kind} | {KINDS[kind].family} | {KINDS[kind].technique or 'none'} | {count} |"
        for kind, count in facts.kinds.items()
    ]
    yield f"**Kinds.** Techniques are those of {ATTACK_MATRIX}."
    yield "\n".join(["| kind | family | technique | episodes |", "|---|---|---|---|", *rows])


def _chains(facts: Facts) -> Iterator[str]:
    """Yield the chains of episodes with their steps, and nothing if there were none."""
    kinds: dict[str, list[str]] = {}
    for episode in facts.plan.episodes:
        if episode.chain:
            kinds.setdefault(episode.chain, []).append(f"{episode.step}. {episode.kind} ({episode.id})")
    if kinds:
        yield "**Chains.** Attacks that belong together; columns `chain` and `step` of every level name them."
        yield "\n".join(f"* {name}: {', '.join(steps)}" for name, steps in kinds.items())


def _collection(facts: Facts) -> Iterator[str]:
    manifest, clocks = facts.manifest, facts.manifest.clocks
    yield f"**How.** {responsible.COLLECTION} {responsible.TEMPERATURES}"
    yield f"**Engine.** `{manifest.engine}`, {manifest.shards} {'shards' if manifest.shards > 1 else 'shard'}."
    if clocks is not None:
        yield (
            f"**When.** Virtual time {clocks.virtual_start:%Y-%m-%d %H:%M:%S} to {clocks.virtual_end:%Y-%m-%d %H:%M:%S} UTC (local "
            f"time {clocks.time_zone}, UTC{clocks.utc_offset_s / 3600:+g} h); captured {clocks.wall_start:%Y-%m-%d %H:%M:%S} to "
            f"{clocks.wall_end:%H:%M:%S} UTC."
        )
    yield f"**With.** {', '.join(facts.tools)}."
    yield f"**Ethics.** {responsible.IMPACT}"


def _likeness(_: Facts) -> Iterator[str]:
    yield f"**Measured.** {responsible.LIKENESS}"
    yield "**Why, and what of it.** Each difference has its reason in docs/fidelity.md of coldaisle."


def _preprocessing(facts: Facts) -> Iterator[str]:
    yield f"**Labelling.** {responsible.LABELLING}"
    yield f"**Checks.** {responsible.CONSERVATION}"
    yield (
        "**Preprocessing.** Frames are decoded and causal features computed; nothing is sampled, scaled or imputed. The raw captures "
        "and journals are kept in `capture/raw` and `journal`."
    )
    if facts.checks:
        findings = ["| {id} | {status} | {sentence} |".format_map(check) for check in facts.checks]
        yield "**Audit.** Results of `coldaisle audit`:"
        yield "\n".join(["| check | status | finding |", "|---|---|---|", *findings])


def _uses(_: Facts) -> Iterator[str]:
    yield "**For.** " + " ".join(responsible.USES)
    yield "**Not for.** " + " ".join(responsible.MISUSES)
    yield "**Limits.** " + " ".join(responsible.LIMITS)
    yield "**Biases.** " + " ".join(responsible.BIASES)


def _distribution(facts: Facts) -> Iterator[str]:
    size = sum(facts.sizes.values()) / 1e6
    yield (
        f"**Files.** {len(facts.manifest.files)} files, {size:,.1f} MB, each with its sha256 in `manifest.json`; "
        "`croissant.json` describes them and every column to machines."
    )
    publish = facts.publish
    terms = (
        ", as coldaisle itself"
        if publish is OWN
        else f" ({publish.terms})" * (publish.terms != publish.licence)
    )
    yield f"**Licence.** {publish.licence}{terms}."
    where = [part for part in (publish.publisher, publish.url, facts.doi) if part]
    if where:
        yield f"**Where.** {', '.join(where)}."
    yield f"**To cite it.** `{citation(facts)}`"
    yield "**Other formats.** `coldaisle export` writes Parquet by day, CSV, labelled pcapng, Zeek logs and EVE events."


def _maintenance(facts: Facts) -> Iterator[str]:
    yield f"**Changes.** {responsible.MAINTENANCE}"
    if facts.publish.contact:
        yield f"**Contact.** {facts.publish.contact}"
    yield (
        f"**Identity.** Plan `{facts.manifest.plan_digest}`, semantic digest `{facts.manifest.semantic_digest}`: equal for every run "
        "of this plan, whatever engine or machine."
    )
    yield f"**Seal.** `manifest.json` has the sha256 `{facts.digest}`: `coldaisle verify RUN --manifest-digest` holds this run to it."


SECTIONS: dict[str, Section] = {
    "Motivation": _motivation,
    "Composition": _composition,
    "Collection process": _collection,
    "Likeness to published captures": _likeness,
    "Preprocessing, cleaning, labelling": _preprocessing,
    "Uses": _uses,
    "Distribution": _distribution,
    "Maintenance": _maintenance,
}
"""The sections, in their order; all but the likeness are those of Gebru et al."""

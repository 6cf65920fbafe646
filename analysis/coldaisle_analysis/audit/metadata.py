"""Check group F: the data set describes itself."""

from collections.abc import Callable
from ipaddress import ip_address

from coldaisle_analysis.audit.capture import conversations, losses
from coldaisle_analysis.audit.check import Check, Measured
from coldaisle_analysis.audit.division import test_side
from coldaisle_analysis.audit.subject import Absent, Subject
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.addressing import BROKER, NTP
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.manifest import Manifest

REQUIRED = (
    "@context", "@type", "conformsTo", "name", "description", "license", "url", "creator", "datePublished", "distribution",
    "recordSet",
)  # fmt: skip
"""Properties that Croissant 1.1 requires of a data set with files and records (mlcommons.org/croissant/1.1)."""
RESPONSIBLE = (
    "dataCollection", "dataCollectionType", "dataCollectionRawData", "dataCollectionTimeFrame", "dataCollectionMissingData",
    "dataPreprocessingProtocol", "dataImputationProtocol", "dataAnnotationProtocol", "dataAnnotationAnalysis",
    "annotationsPerItem", "machineAnnotationTools", "dataUseCases", "dataLimitations", "dataBiases",
    "personalSensitiveInformation", "dataSocialImpact", "dataReleaseMaintenancePlan",
)  # fmt: skip
"""Properties of Croissant's RAI vocabulary 1.0 that apply where machines label."""
SECTIONS = (
    "Motivation", "Composition", "Collection process", "Preprocessing, cleaning, labelling", "Uses", "Distribution", "Maintenance",
)  # fmt: skip
"""The sections of a datasheet (Gebru et al., Datasheets for Datasets, CACM 64(12), 2021)."""
_MAY_BE_EMPTY = {"shards", "seconds", "definition", "left_out", "packages"}
FACTS = [name for name in Manifest.model_fields if name not in _MAY_BE_EMPTY]
"""Fields of a manifest that say what a run is."""
PROGRAMS = ("coldaisle", "mosquitto", "tcpdump", "scapy", "paho-mqtt", "pandas", "scikit-learn")
"""Programs whose versions a manifest has to state."""


def metadata(subject: Subject) -> Measured:
    """Count the required properties of Croissant and those of its RAI vocabulary that are missing or empty."""
    if subject.croissant is None:
        raise Absent("there is no Croissant metadata")
    properties = [*REQUIRED, *(f"rai:{name}" for name in RESPONSIBLE)]
    lacking = [name for name in properties if not subject.croissant.get(name)]
    text = f"The Croissant metadata lack {len(lacking)} of {len(properties)} required properties."
    return Measured(len(lacking), text, [{"lacks": name} for name in lacking])


def sections(subject: Subject) -> Measured:
    """Count the sections of a datasheet that are missing or empty."""
    if subject.datasheet is None:
        raise Absent("there is no datasheet")
    parts = dict(part.partition("\n")[::2] for part in subject.datasheet.split("\n## ")[1:])
    lacking = [name for name in SECTIONS if not parts.get(name, "").strip()]
    text = f"The datasheet lacks {len(lacking)} of {len(SECTIONS)} sections."
    return Measured(len(lacking), text, [{"lacks": name} for name in lacking])


def manifest(subject: Subject) -> Measured:
    """Count the facts that the manifest leaves open: identity, seed, digests, counts, clocks, hashes, commit, versions."""
    if subject.manifest is None:
        raise Absent("there is no manifest")
    facts = subject.manifest.model_dump()
    lacking = [name for name in FACTS if facts.get(name) in (None, "", {})]
    lacking += [f"version of {name}" for name in PROGRAMS if name not in subject.manifest.versions]
    return Measured(
        len(lacking),
        f"The manifest leaves {len(lacking)} of {len(FACTS) + len(PROGRAMS)} facts open.",
        [{"open": name} for name in lacking],
    )


def properties(subject: Subject) -> Measured:
    """Return the share of the 26 properties of Gharib et al. and Ring et al. that the data set lacks or does not state."""
    if subject.manifest is None or subject.account is None or subject.level != "packets":
        raise Absent("there is no manifest")
    lacks = [f"{source}: {name}" for (source, name), there in _PROPERTIES.items() if not there(subject)]
    share = len(lacks) / len(_PROPERTIES)
    text = f"{len(_PROPERTIES) - len(lacks)} of {len(_PROPERTIES)} properties of a good data set are present and stated."
    return Measured(share, text, [{"lacks": name} for name in lacks])


def _manifest(subject: Subject) -> Manifest:
    assert subject.manifest is not None  # noqa: S101 - callers check it
    return subject.manifest


def _account(subject: Subject) -> Account:
    assert subject.account is not None  # noqa: S101 - callers check it
    return subject.account


def _is_public(subject: Subject) -> bool:
    """Tell whether the scenario says where the data set is published."""
    publish = _account(subject).evidence.plan.scenario.publish
    return publish is not None and bool(publish.url or publish.doi)


def _whole_network(subject: Subject) -> bool:
    units = _account(subject).evidence.plan.units.values()
    expected = {unit.host.mac for unit in units} | {BROKER.mac, NTP.mac}
    return expected <= {str(mac) for mac in subject.of("mac").dropna().unique()}


def _families(subject: Subject) -> set[str]:
    return {KINDS[kind].family for kind in subject.frame["kind"].astype("str").unique() if kind in KINDS}


def _divided(subject: Subject) -> bool:
    try:
        return bool(test_side(subject).any())
    except Absent:
        return False


def _anonymous(subject: Subject) -> bool:
    return all(ip_address(str(ip)).is_private for ip in subject.of("src").dropna().unique())


_PROPERTIES: dict[tuple[str, str], Callable[[Subject], bool]] = {
    ("Gharib", "complete network configuration"): _whole_network,
    ("Gharib", "complete traffic"): lambda subject: bool(0 < subject.label.mean() < 1),
    ("Gharib", "labelled"): lambda subject: subject.has("episode"),
    ("Gharib", "complete interaction"): lambda subject: conversations(subject).value < 0.01,  # noqa: PLR2004 - as A5
    ("Gharib", "complete capture"): lambda subject: losses(subject).value == 0,
    ("Gharib", "available protocols"): lambda subject: (
        {"ARP", "TCP", "MQTT", "NTP"} <= set(subject.frame["protocol"].unique())
    ),
    ("Gharib", "attack diversity"): lambda subject: len(_families(subject) - {"benign"}) >= 4,  # noqa: PLR2004 - all families
    ("Gharib", "anonymity"): _anonymous,
    ("Gharib", "heterogeneity"): lambda subject: len(subject.frame["ip_src"].dropna().unique()) > 3,  # noqa: PLR2004 - more than one unit
    ("Gharib", "feature set"): lambda subject: len(subject.features) >= 20,  # noqa: PLR2004 - a score of features
    ("Gharib", "metadata"): lambda subject: manifest(subject).value == 0,
    ("Ring", "year of creation"): lambda subject: bool(_manifest(subject).created),
    ("Ring", "public availability"): _is_public,
    ("Ring", "normal user behaviour"): lambda subject: "benign" in _families(subject),
    ("Ring", "attack traffic"): lambda subject: bool(subject.label.any()),
    ("Ring", "metadata"): lambda subject: manifest(subject).value == 0,
    ("Ring", "format"): lambda subject: len(_account(subject).evidence.sealed) > 0,
    ("Ring", "anonymity"): _anonymous,
    ("Ring", "count"): lambda subject: _manifest(subject).counts.get("packets") == len(subject),
    ("Ring", "duration"): lambda subject: _manifest(subject).counts.get("days", 0) > 0,
    ("Ring", "kind of traffic"): lambda subject: _manifest(subject).engine in ("netns", "compose"),
    ("Ring", "type of network"): lambda subject: bool(_manifest(subject).scenario),
    ("Ring", "complete network"): _whole_network,
    ("Ring", "predefined splits"): _divided,
    ("Ring", "balanced"): lambda subject: 0.1 <= float(subject.label.mean()) <= 0.9,  # noqa: PLR2004 - one in ten
    ("Ring", "labelled"): lambda subject: subject.has("episode"),
}
"""Tests of a run for each property, by source and name."""


CHECKS = (
    Check("F1", "metadata for machines", "missing properties", 1, 4, "Croissant 1.1, RAI vocabulary 1.0; threshold ours", metadata, "capture"),
    Check("F2", "manifest", "facts left open", 1, 3, "coldaisle", manifest, "capture"),
    Check("F3", "datasheet", "missing sections", 1, 4, "Gebru et al. 2021; threshold ours", sections, "capture"),
    Check("F4", "properties of a good data set", "share that is missing or not stated", 0.1, 0.3, "Gharib et al. 2016, Ring et al. 2019; threshold ours", properties, "capture"),
)  # fmt: skip

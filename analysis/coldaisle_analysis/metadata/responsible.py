"""What the RAI vocabulary of Croissant asks of a dataset: how it was made, labelled and is meant to be used.

The datasheet says the same to people; sentences that both need stand here.
"""

from typing import Any

from coldaisle_analysis.metadata.facts import Facts
from coldaisle_contracts.taxonomy import ATTACK_MATRIX

COLLECTION = (
    "Real programs talked over real sockets in network namespaces or containers of one machine: paho-mqtt clients in the "
    "sensors' controllers, Mosquitto, chronyd, and an attacker. tcpdump captured every frame beside the broker. Idle time was "
    "skipped, and packet times are mapped to the programs' virtual time; the captures in wall time are kept."
)
TEMPERATURES = (
    "Temperatures follow a mathematical model fitted to one published site; they were not measured."
)
LABELLING = (
    "A frame is labelled by joining the attacker's journal, frame by frame, with the capture through a digest of the frame, and what "
    "followed from it on other connections by the units' journals; a reading by what its sensor sent and what became of it. No time window and nobody's judgement labels anything."
)
CONSERVATION = (
    "Checked at the end of the run: each planned reading has exactly one fate, each act of the plan was played and no other, "
    "every frame is accounted for, nothing was dropped."
)
MISSING = (
    "Readings that an attack removed have a row and no value. A value that does not exist (an MQTT field of a frame without a "
    "message, the deviation of one number) is missing, and nothing is imputed."
)
LIMITS = (
    TEMPERATURES,
    "One network of one broker, one attacker host, four kinds of sensors; scores on it say little about other networks.",
    "ARP ageing, retransmission timers and delayed ACKs stay in wall time, right while something happens and skipped in between.",
    "The attacker does not hide its host's address; identity columns are marked and left out of the features.",
)
BIASES = (
    "Attacks are far more frequent than on a network at work, and still rare: accuracy says nothing, precision and recall do.",
    "Kinds, hours, targets and sizes come from the scenario, drawn by seed with its weights; they are no observed attacker's.",
)
USES = (
    "Training and comparing detectors of anomalies in MQTT traffic and sensor readings, with days and episodes held out.",
    "Measuring how early a detector speaks, since the onset of each episode is known to the frame.",
    "Teaching, and testing tools that read captures.",
)
MISUSES = (
    "Claims on the thermal behaviour of a data centre.",
    "Random splits of rows: neighbours of one episode would stand on both sides.",
)
PERSONAL = "None: no person, device or network outside the testbed took part; addresses are of 198.18.0.0/15, kept for benchmarks."
IMPACT = (
    "Attack traffic existed only in namespaces or containers without a way out; the attacks are textbook ones against a protocol "
    "in clear text."
)
MAINTENANCE = (
    "A run is never changed: another seed or version makes another run, and `coldaisle reproduce` plays this one's plan again "
    "and compares."
)


def properties(facts: Facts) -> dict[str, Any]:
    """Return the RAI properties of a run."""
    manifest, clocks = facts.manifest, facts.manifest.clocks
    tools = [f"{name} {version}" for name, version in sorted(manifest.versions.items())]
    found: dict[str, Any] = {
        "dataCollection": f"{COLLECTION} {TEMPERATURES}",
        "dataCollectionType": ["Experiments", "Software Collection"],
        "dataCollectionMissingData": MISSING,
        "dataCollectionRawData": "capture/raw/*.pcap in wall time, journal/*.jsonl of every sensor and of the attacker.",
        "dataImputationProtocol": "None.",
        "dataPreprocessingProtocol": [
            "Capture times mapped from wall to virtual time with the recorded timeline.",
            "Frames decoded from Ethernet to MQTT, causal features computed; flows and windows summed up from them.",
        ],
        "dataAnnotationProtocol": [LABELLING, f"Techniques are those of {ATTACK_MATRIX}."],
        "dataAnnotationPlatform": [facts.manifest.made_by],
        "dataAnnotationAnalysis": [CONSERVATION],
        "annotationsPerItem": "1",
        "machineAnnotationTools": tools,
        "dataUseCases": list(USES),
        "dataLimitations": [*LIMITS, *(f"Not for: {misuse}" for misuse in MISUSES)],
        "dataBiases": list(BIASES),
        "personalSensitiveInformation": [PERSONAL],
        "dataSocialImpact": IMPACT,
        "dataReleaseMaintenancePlan": MAINTENANCE,
    }
    if clocks is not None:
        found["dataCollectionTimeFrame"] = [clocks.wall_start.isoformat(), clocks.wall_end.isoformat()]
    return {f"rai:{name}": value for name, value in found.items()}

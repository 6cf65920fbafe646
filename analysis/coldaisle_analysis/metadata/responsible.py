"""The properties of Croissant's RAI vocabulary: how a dataset was made and labelled, and how it is meant to be used.

The datasheet uses the same sentences.
"""

from collections.abc import Sequence
from typing import Any

from coldaisle_contracts.manifest import Clocks
from coldaisle_contracts.taxonomy import ATTACK_MATRIX

COLLECTION = (
    "Real programs communicated over real sockets in network namespaces or containers of one machine: paho-mqtt clients in the "
    "sensors' controllers, Mosquitto, chronyd, and an attacker. tcpdump captured every frame beside the broker. Idle time was "
    "skipped, and packet times are mapped to the programs' virtual time; the captures in wall time are kept."
)
TEMPERATURES = (
    "Temperatures follow a mathematical model fitted to one published site; they were not measured."
)
LABELLING = (
    "A frame is labelled by joining the attacker's journal with the capture through a digest of each frame. Consequences on other "
    "connections are labelled from the units' journals, and a reading from what its sensor sent and its fate. No label comes from a time window or from a person's judgement."
)
LIKENESS = (
    "Not measured on this run but on 10 plays of `scenarios/dad.toml` (seeds 101 to 110), which stands for the published site: on 2026-11-30, by "
    "`coldaisle fidelity dad-* --against dad/*.pcap`, against four published days. 20 of 39 measures (sizes, headers, values, the delay of a PUBACK) "
    "differ no more than plays or published days differ among themselves. 19 do: the interval of 300 s for 300.1 s, NTP, the delays of "
    "kernels on one machine, how close units publish. A classifier that holds out whole plays and days tells flows from published ones with an AUC "
    "of 0.78, packets with 1.00, and packets by values alone with 0.71; 0.5 is no difference."
)
CONSERVATION = (
    "Checked at the end of the run: each planned reading has exactly one fate, the acts played are exactly those of the plan, "
    "every frame is explained, and no frame was dropped."
)
MISSING = (
    "Readings that an attack removed have a row and no value. A value that does not exist (an MQTT field of a frame without a "
    "message, the deviation of one number) is missing, and nothing is imputed."
)
LIMITS = (
    TEMPERATURES,
    "One network of one broker, one attacker host, four kinds of sensors; scores on it say little about other networks.",
    "ARP ageing, retransmission timers and delayed ACKs run in wall time: they are right during activity and skipped in between.",
    "The attacker does not hide its host's address; identity columns are marked and left out of the features.",
)
BIASES = (
    "Attacks are far more frequent than on a production network, and still rare: use precision and recall, not accuracy.",
    "Kinds, hours, targets and sizes come from the scenario, drawn by seed with its weights; they were not observed on a real attacker.",
)
USES = (
    "Training and comparing detectors of anomalies in MQTT traffic and sensor readings, with days and episodes held out.",
    "Measuring how early a detector alarms, because the first frame of each episode is known.",
    "Teaching, and testing tools that read captures.",
)
MISUSES = (
    "Claims on the thermal behaviour of a data centre.",
    "Random splits of rows: rows of one episode would be on both sides.",
)
PERSONAL = "None: no person, device or network outside the testbed took part; addresses are from 198.18.0.0/15, which is reserved for benchmarks."
IMPACT = (
    "Attack traffic existed only in namespaces or containers without a route to other networks; the attacks are textbook attacks "
    "on a protocol in clear text."
)
MAINTENANCE = (
    "A run is never changed: another seed or version makes another run. `coldaisle reproduce` plays the plan of this run again "
    "and compares the results."
)


def time_frame(clocks: Clocks | None) -> list[str]:
    """Return first and last instant of a run's captures in wall time; nothing where they are not known."""
    return [clocks.wall_start.isoformat(), clocks.wall_end.isoformat()] if clocks else []


def properties(made_by: str, tools: Sequence[str], frame: Sequence[str]) -> dict[str, Any]:
    """Return the RAI properties of a data set.

    Args:
        made_by: version and commit of the coldaisle that made it.
        tools: each tool and library used with its version.
        frame: see :func:`time_frame`.
    """
    rai: dict[str, Any] = {
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
        "dataAnnotationPlatform": [made_by],
        "dataAnnotationAnalysis": [CONSERVATION],
        "annotationsPerItem": "1",
        "machineAnnotationTools": list(tools),
        "dataUseCases": list(USES),
        "dataLimitations": [*LIMITS, *(f"Not for: {misuse}" for misuse in MISUSES)],
        "dataBiases": list(BIASES),
        "personalSensitiveInformation": [PERSONAL],
        "dataSocialImpact": IMPACT,
        "dataReleaseMaintenancePlan": MAINTENANCE,
    }
    if frame:
        rai["dataCollectionTimeFrame"] = list(frame)
    return {f"rai:{name}": value for name, value in rai.items()}

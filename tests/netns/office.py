"""An hour of the published units with two workstations, which both engines play."""

from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

BACKGROUND = {
    "workstations": 2,
    "address": 7,
    "dns_s": 120,
    "dhcp_s": 1200,
    "ntp_s": 300,
    "http_s": 90,
}
EPISODES = [
    {
        "kind": "modification",
        "variant": "shift",
        "unit": "inrow-13",
        "day": 1,
        "start": "00:10",
        "readings": 2,
    },
    {"kind": "arp-sweep", "day": 1, "start": "00:20", "readings": 1, "count": 200},
    {"kind": "port-scan", "variant": "udp", "day": 1, "start": "00:35", "readings": 1},
    {"kind": "port-scan", "variant": "syn", "day": 1, "start": "00:50", "readings": 1},
]
SCENARIO = {
    "name": "office",
    "seed": 11,
    "first_day": "2026-03-02",
    "time_zone": "UTC",
    "duration_h": 1,
    "site": {"background": BACKGROUND},
    "episodes": EPISODES,
}
PLAN = build_plan(Scenario.model_validate(SCENARIO))
"""An attack on a unit, a sweep over the addresses of workstations, and two scans of the host whose services they use."""
DIGEST = "a1533322367c8943df382391afd4ea2ef56015dfe3c8171f828f57037700ab03"
"""The semantic digest of every play of it."""

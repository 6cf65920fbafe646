"""Episodes on sites with TLS: what has to read what is encrypted, or to speak plaintext, is refused, and none such is drawn."""

from typing import Any

import pytest

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

BASE = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
ALONE = {"broker": {"tls": "1.3", "plaintext": False}}
BESIDE = {
    "broker": {"tls": "1.3"},
    "devices": [
        {"name": "crah-{number}", "address": 100, "client": "c{number}s{sensor}", "tls": True},
        {"name": "rack-{number}", "address": 200, "client": "r{number}s{sensor}"},
    ],
}


def _scenario(site: dict[str, Any], **more: Any) -> Scenario:
    return Scenario.model_validate({**BASE, "site": site, **more})


@pytest.mark.parametrize(
    ("site", "kind", "unit", "reason"),
    [
        (BESIDE, "modification", "crah-1", "crah-1 has tls = true, and an attacker on the path of TLS can neither read nor change"),
        (BESIDE, "removal", "crah-1", "choose a unit whose tls is false"),
        (ALONE, "downgrade", "inrow-13", "the broker has plaintext = false, and a downgrade leads to its plaintext listener: give it plaintext = true"),
        (BESIDE, "downgrade", "crah-1", "crah-1 has fallback = false, and it would rather be silent than speak plaintext: choose a unit whose fallback is true"),
        (BESIDE, "downgrade", "rack-1", "rack-1 has tls = false, and what speaks plaintext needs no downgrade"),
        (BESIDE, "false-certificate", "rack-1", "rack-1 has tls = false, and only TLS has certificates: choose a unit whose tls is true"),
        (ALONE, "brute-force", None, "the broker has plaintext = false, and the attacker's clients speak plaintext: give it plaintext = true"),
    ],
)  # fmt: skip
def test_an_episode_that_cannot_be_played_is_refused(
    site: dict[str, Any], kind: str, unit: str | None, reason: str
) -> None:
    """The sentence names kind, unit or listener, and the reason."""
    episode = {"kind": kind, "day": 1, "start": "05:00", "readings": 1, **({"unit": unit} if unit else {})}
    with pytest.raises(InputError, match=reason) as caught:
        build_plan(_scenario(site, episodes=[episode]))
    assert repr(kind) in str(caught.value)


def test_the_same_episode_is_planned_for_a_unit_that_speaks_plaintext() -> None:
    """Beside an encrypted unit another one may speak plaintext."""
    episode = {"kind": "removal", "day": 1, "start": "05:00", "readings": 1, "unit": "rack-1"}
    assert build_plan(_scenario(BESIDE, episodes=[episode])).episodes[0].unit == "rack-1"


@pytest.mark.parametrize("site", [ALONE, BESIDE], ids=["TLS alone", "TLS beside plaintext"])
def test_only_what_can_be_played_is_drawn(site: dict[str, Any]) -> None:
    """No drawn episode needs plaintext where there is none."""
    plan = build_plan(_scenario(site, drawn={"count": 30, "clean_days": 0}))
    assert len(plan.episodes) == 30
    for episode in plan.episodes:
        encrypted = episode.unit in plan.units and plan.units[episode.unit].dialect.tls
        for demand in KINDS[episode.kind].demands:
            concerned = not demand.variants or episode.variant in demand.variants
            assert not (demand.key == "tls" and encrypted and concerned), episode.kind
            assert not (demand.key == "plaintext" and not plan.scenario.site.broker.plaintext), episode.kind


@pytest.mark.parametrize(
    ("broker", "group"),
    [({"tls": "1.3"}, {"tls": False}), ({"tls": "1.3", "plaintext": False}, {}), ({}, {})],
    ids=["no TLS", "no plaintext listener", "no listener for TLS"],
)
def test_a_unit_falls_back_from_tls_to_plaintext_alone(broker: dict[str, Any], group: dict[str, Any]) -> None:
    """Without TLS, or without a plaintext listener, the key is refused with its place and a remedy."""
    site = {"broker": broker, "devices": [{"address": 100, "fallback": True, **group}]}
    with pytest.raises(
        InputError, match=r"key site\.devices\.0\.fallback is True: .* or give tls = true and"
    ) as caught:
        Scenario.check({**BASE, "site": site}, "made.toml")
    assert "\n" not in str(caught.value)

"""The table of a site's background traffic: what it asks for, and what is refused."""

from typing import Any

import pytest

from coldaisle_contracts.background import DNSMASQ, NOWHERE, PAGES
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.site_parameters import Site


def site(**background: Any) -> Site:
    """Return the site of the published units with this background traffic."""
    return Site.check({"background": background}, "site.toml")


@pytest.mark.parametrize(
    ("background", "sentence"),
    [
        ({"dns_s": 60}, "key background.address: add it"),
        ({"address": 200}, "key background.workstations is 1: give them something to do"),
        ({"address": 65, "workstations": 2, "dns_s": 60}, "key background.address is 65: the numbers 1 and 66 are those of"),
        ({"address": 40, "workstations": 2, "dns_s": 60}, "key background.address is 41: a device has this address"),
        ({"address": 4090, "workstations": 9, "dns_s": 60}, "key background.address is 4090: the network has the numbers"),
        ({"address": 200, "dns_s": 1}, "key background.dns_s is 1: "),
        ({"address": 200, "dhcp_s": 30}, "key background.dhcp_s is 30: "),
        ({"address": 200, "ftp_s": 60}, "key background.ftp_s: remove it"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_refused(background: dict[str, Any], sentence: str) -> None:
    """One sentence names file, key, value and remedy."""
    with pytest.raises(InputError) as refused:
        site(**background)
    assert f"site.toml: {sentence}" in str(refused.value)


def test_a_workstation_has_its_name_for_itself() -> None:
    """A device cannot be called like a workstation, and no device like a service, with or without background traffic."""
    group = {"name": "workstation-{number}", "address": 10, "medians": [11.0, 15.0, 20.0, 27.0]}
    with pytest.raises(InputError, match="a workstation has this name"):
        Site.check({"devices": [group], "background": {"address": 200, "ntp_s": 60}}, "site.toml")
    with pytest.raises(InputError, match="another program of a run has this name"):
        Site.check({"devices": [{**group, "name": "dnsmasq"}]}, "site.toml")


def test_services_follow_from_what_is_asked_for() -> None:
    """The time server is there anyway; names and leases need dnsmasq, and the page needs its server."""
    needs = {
        key: site(address=200, **{key: 600}).background for key in ("dns_s", "dhcp_s", "ntp_s", "http_s")
    }
    assert {key: table.services for key, table in needs.items() if table} == {
        "dns_s": (DNSMASQ,), "dhcp_s": (DNSMASQ,), "ntp_s": (), "http_s": (PAGES,)
    }  # fmt: skip


def test_a_plan_knows_its_workstations() -> None:
    """They are hosts and programs of the run and no units; only who leases an address speaks without one."""
    scenario = {"name": "b", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    background = {"address": 200, "workstations": 2, "ntp_s": 600}
    plan = build_plan(Scenario.check({**scenario, "site": {"background": background}}, "b.toml"))
    assert [host.ip for host in plan.workstations.values()] == ["198.18.0.200", "198.18.0.201"]
    assert list(plan.devices) == [*plan.units, "workstation-1", "workstation-2"]
    assert set(plan.workstations.values()) < set(plan.hosts)
    assert plan.sources == {host.ip for host in plan.hosts}
    leasing = build_plan(
        Scenario.check({**scenario, "site": {"background": {**background, "dhcp_s": 600}}}, "b.toml")
    )
    assert leasing.sources == plan.sources | {NOWHERE}


def test_a_plan_without_background_says_nothing_of_it() -> None:
    """So the digest of every other plan stays as it was."""
    scenario = {"name": "b", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    plan = build_plan(Scenario.check(scenario, "b.toml"))
    assert "background" not in plan.model_dump_json()
    assert plan.workstations == {}

"""A site from captures: units, names, addresses, client ids and parameters, and a sentence for what a site cannot have."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from tests.analysis import made_run
from tests.analysis.made_publishers import MEDIANS, START_NS, Publisher, capture, unit

from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.fitting import site_from
from coldaisle_analysis.fitting.fit import fit
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site_parameters import Site, load_site
from coldaisle_contracts.units import Group

PLAIN = unit("10.0.0.9", "5")


def ignore(_: str) -> None:
    """Ignore a line on the progress."""


def found(folder: Path, publishers: Iterable[Publisher]) -> tuple[Site, str]:
    """Return the site of a capture of publishers, as its file holds it, and the comments of the file."""
    out = folder / "site.toml"
    site = site_from.run([capture(folder / "made.pcap", publishers)], out, ignore)
    assert load_site(out) == site
    return site, "".join(line for line in out.read_text().splitlines(keepends=True) if line.startswith("#"))


def facts(site: Site) -> dict[str, tuple[int, str]]:
    """Return number of the address, and first client id of each unit."""
    return {name: (own.host.number, own.client(1)) for name, own in site.units.items()}


def test_units_names_and_addresses_come_from_the_hosts(tmp_path: Path) -> None:
    """A stem that is a number belongs to an InRow, another one is the name; the last byte of the host is kept."""
    warm = (9.0, 13.0, 21.5, 30.25)
    publishers = [
        *unit("10.7.0.41", "13"),
        *unit("10.7.0.36", "row07", warm),
        *unit("10.7.0.9", "Hall2b"),
    ]
    site, comments = found(tmp_path, publishers)
    assert facts(site) == {"row07": (36, "row071"), "hall2b": (9, "Hall2b1"), "inrow-13": (41, "131")}
    assert site.units["row07"].medians == pytest.approx(warm, abs=0.1)
    assert comments.splitlines() == [
        "# Found in made.pcap: readings from 2026-03-02 00:00 to 2026-03-02 00:55 UTC.",
        "# Hours and days are in UTC.",
        '# In the scenario: site = "site.toml" and interval_s = 300.',
        "# Not as in the capture: noise, drift, excursions and season are the defaults: no unit has 96 readings of four sensors that change.",
    ]


def test_addresses_that_are_taken_are_numbered_on(tmp_path: Path) -> None:
    """Two hosts with one last byte, and the last bytes of broker and attacker, get the next numbers that are free."""
    hosts = {"a": "10.0.0.41", "b": "10.0.1.41", "c": "10.0.1.1", "d": "10.0.1.66", "e": "10.0.2.42"}
    site, comments = found(
        tmp_path, chain.from_iterable(unit(host, f"{stem}0") for stem, host in hosts.items())
    )
    numbers = {name: own.host.number for name, own in site.units.items()}
    assert numbers == {"a0": 41, "b0": 43, "c0": 2, "d0": 67, "e0": 42}
    assert "end in another number than that of the host, which is taken: c0, b0, d0." in comments


def test_addresses_of_a_test_network_are_kept(tmp_path: Path) -> None:
    """A host of the test network keeps its whole address."""
    site, _ = found(tmp_path, unit("198.18.1.44", "8"))
    assert site.units["inrow-8"].host.ip == "198.18.1.44"


def test_client_ids_that_a_site_cannot_have_are_replaced(tmp_path: Path) -> None:
    """The name keeps the stem; where there is none, it is the host's address, and sensors are in the order of their medians."""
    mixed = [
        Publisher("10.0.0.7", name, celsius)
        for name, celsius in zip("zyxw", (27.0, 20.0, 16.0, 12.0), strict=True)
    ]
    site, comments = found(tmp_path, [*unit("10.0.0.5", "rack-07-"), *mixed])
    assert facts(site) == {"rack-07": (5, "rack071"), "unit-10-0-0-7": (7, "unit71")}
    assert site.units["unit-10-0-0-7"].medians == pytest.approx(MEDIANS, abs=0.1)
    assert "client ids are new, because those of a unit are letters and digits" in comments
    assert (
        "sensors are in the order of their medians, because client ids with 1 to 4 do not tell another: 10.0.0.7."
        in comments
    )


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    """Two hosts whose client ids make one name, or are the same, get different ones."""
    site, _ = found(tmp_path, [*unit("10.0.0.5", "A7"), *unit("10.0.0.6", "a7"), *unit("10.0.0.8", "A7")])
    assert facts(site) == {"a7": (5, "A71"), "unit-10-0-0-6": (6, "a71"), "unit-10-0-0-8": (8, "unit81")}


def test_several_units_behind_one_address(tmp_path: Path) -> None:
    """Series of one host are told apart by the stems of their client ids, and by their periods."""
    fast = unit("10.0.0.5", "c", period_s=60)
    site, _ = found(tmp_path, [*unit("10.0.0.5", "2"), *unit("10.0.0.5", "3"), *fast])
    assert {name: own.host.number for name, own in site.units.items()} == {"inrow-2": 5, "inrow-3": 6, "c": 7}


def test_the_suffix_of_a_firmware_is_no_part_of_a_client_id(tmp_path: Path) -> None:
    """A unit that comes back with another firmware stays one unit."""
    updated = [replace(sensor, client=f"{sensor.client}-v2", start_s=3600.0) for sensor in PLAIN]
    site, comments = found(tmp_path, [*PLAIN, *updated])
    assert facts(site) == {"inrow-5": (9, "51")}
    assert "01:55 UTC" in comments


def test_clients_that_connect_for_every_message(tmp_path: Path) -> None:
    """If every message has a client id of its own, host and topic tell the series."""
    publishers = [
        Publisher("10.0.0.5", f"mosq-{place}-", celsius, topic=f"room/{place}", once=True)
        for place, celsius in enumerate(MEDIANS)
    ]
    site, comments = found(tmp_path, publishers)
    assert site.units["unit-10-0-0-5"].medians == pytest.approx(MEDIANS, abs=0.1)
    assert "topics are new" in comments


def test_connections_that_began_before_the_capture(tmp_path: Path) -> None:
    """Without a CONNECT four connections of a host are a unit."""
    site, _ = found(tmp_path, [Publisher("10.0.0.5", None, celsius) for celsius in MEDIANS])
    assert facts(site) == {"unit-10-0-0-5": (5, "unit51")}


def test_json_of_four_numbers_is_a_unit(tmp_path: Path) -> None:
    """Four fields of one payload are four series, and it is said that a site sends a number in each payload."""

    def shape(celsius: float) -> str:
        return json.dumps(
            {name: round(celsius + more, 2) for name, more in zip("abcd", (0, 4, 8, 15), strict=True)}
        )

    site, comments = found(tmp_path, [Publisher("10.0.0.5", "ac1", 12.0, shape=shape)])
    assert site.units["unit-10-0-0-5"].medians == pytest.approx(MEDIANS, abs=0.1)
    assert (
        "payloads are new, because those of a unit have one number, no other digit, and nothing else that changes: unit-10-0-0-5."
        in comments
    )


def test_topics_and_payloads_are_kept(tmp_path: Path) -> None:
    """Topics that differ in the sensor's number, and payloads around one number, are patterns of the site."""
    shape = '{{"celsius": {:.2f}, "ok": true}}'.format
    publishers = [
        replace(sensor, topic=f"hall/2/{number}/t", shape=shape)
        for number, sensor in enumerate(unit("10.0.0.5", "r1s", count=100), 1)
    ]
    site, comments = found(tmp_path, publishers)
    (device,) = site.devices
    assert isinstance(device, Group)
    assert (device.topic, device.payload) == ("hall/2/{sensor}/t", '{"celsius": {value}, "ok": true}')
    assert "Not as in the capture" not in comments
    again = fit([tmp_path / "made.pcap"], ignore, site=site)
    assert again.site == site


def test_a_unit_may_report_in_every_few_slots(tmp_path: Path) -> None:
    """Where the interval of a unit is a multiple of that of most, the unit has ``every``, in the file as well."""
    publishers = [*unit("10.0.0.5", "5"), *unit("10.0.0.6", "6"), *unit("10.0.0.8", "8", period_s=900)]
    site, comments = found(tmp_path, publishers)
    assert {name: device.rhythm.every for name, device in site.units.items()} == {
        "inrow-5": 1, "inrow-6": 1, "inrow-8": 3,
    }  # fmt: skip
    assert "interval_s = 300." in comments
    assert "readings of all units" not in comments


@pytest.mark.parametrize(
    ("spoken", "keys"),
    [
        ({}, {}),
        ({"qos": 0}, {"qos": 0}),
        ({"qos": 2, "level": 4}, {"version": "3.1.1", "qos": 2}),
        ({"level": 5, "retain": True}, {"version": "5", "retain": True}),
    ],
)
def test_the_dialect_of_a_unit_is_that_of_its_messages(
    tmp_path: Path, spoken: dict[str, Any], keys: dict[str, Any]
) -> None:
    """Version, quality of service and retained readings are keys of the group, and nothing is said to be missing."""
    site, comments = found(tmp_path, unit("10.0.0.5", "r1s", count=20, **spoken))
    (device,) = site.devices
    assert {key: getattr(device, key) for key in keys} == keys
    assert device.model_dump(exclude_defaults=True).keys() & {"version", "qos", "retain"} == keys.keys()
    assert "QoS" not in comments
    assert "MQTT 5" not in comments


@pytest.mark.parametrize(
    ("publishers", "sentence"),
    [
        (
            unit("10.0.0.8", "6", topic="room 7"),
            "topics are new, because those of a unit have letters and digits, and differ in the sensor's number only: inrow-6",
        ),
        (unit("10.0.0.8", "6", subscribes=True), "connections subscribe (4 of them): a site has no subscribers"),
        (unit("10.0.0.8", "6", period_s=60), "readings of all units come every 300 s: inrow-6 (every 60 s)"),
        (unit("10.0.0.8", "6")[:3], "hosts without four series of one period are left out: 10.0.0.8 (3 every 300 s)"),
        (unit("10.0.0.8", "6", jitter=1.0), "series without a regular period are left out: 10.0.0.8 (4)"),
        (unit("10.0.0.8", "6", count=2), "series without a regular period are left out: 10.0.0.8 (4)"),
        (
            unit("10.0.0.8", "6", (900.0, 40.0, 1.0, 2.0), noise=0.0),
            "hosts whose values are no temperatures of a unit are left out: 10.0.0.8 (1, 2, 40, 900)",
        ),
        ([Publisher("10.0.0.8", "6", 0.0, shape="on{:.0f}?".format)], "12 messages hold no number, and are left out"),
    ],
)  # fmt: skip
def test_what_a_site_cannot_have_is_said(tmp_path: Path, publishers: list[Publisher], sentence: str) -> None:
    """Each property of a capture that a site does not have is a sentence in the terminal and in the file."""
    lines, out = list[str](), tmp_path / "site.toml"
    site_from.run([capture(tmp_path / "made.pcap", [*PLAIN, *publishers])], out, lines.append)
    comment = f"Not as in the capture: {sentence}."
    assert f"# {comment}" in out.read_text().splitlines()
    assert comment in lines
    assert "inrow-5" in load_site(out).units


def test_an_interval_that_no_scenario_has_is_said(tmp_path: Path) -> None:
    """The nearest interval that a scenario can have is named, and that it is another one."""
    _, comments = found(tmp_path, unit("10.0.0.9", "5", period_s=2.0))
    assert "and interval_s = 10." in comments
    assert "an interval divides a day, and is 10 to 3600 s long: 2 s." in comments


def test_noise_is_fitted_from_96_readings_on(tmp_path: Path) -> None:
    """With enough readings the parameters are those of the fit; a unit with fewer readings has its own medians."""
    publishers = [*unit("10.0.0.9", "5", count=200, noise=0.4), *unit("10.0.0.8", "6", noise=0.0)]
    site, comments = found(tmp_path, publishers)
    assert site.noise == pytest.approx((0.4,) * 4, rel=0.25)
    assert site.units["inrow-5"].medians == pytest.approx(MEDIANS, abs=0.1)
    assert site.units["inrow-6"].medians == MEDIANS
    assert "defaults" not in comments


def test_parameters_that_a_site_cannot_have_are_the_defaults(tmp_path: Path) -> None:
    """Noise beyond the limits of a site is no reason to have no site."""
    site, comments = found(tmp_path, unit("10.0.0.9", "5", (0, 20, 0, 20), count=200, noise=30))
    assert site.noise == Site().noise
    assert "noise, drift, excursions and season are the defaults: fitted site: key noise.0 is" in comments


def test_more_units_than_a_site_can_have(tmp_path: Path) -> None:
    """Of 258 units the last two are left out, and named."""
    hosts = [f"10.0.{place // 200}.{place % 200 + 1}" for place in range(258)]
    site, comments = found(
        tmp_path, chain.from_iterable(unit(host, f"n{place}s", count=3) for place, host in enumerate(hosts))
    )
    assert len(site.units) == 256
    assert "hosts are left out, because a site has at most 256 devices: 10.0.1.57, 10.0.1.58." in comments


def test_a_capture_without_a_unit_is_refused(tmp_path: Path) -> None:
    """The sentence says what there was instead, and no file is written."""
    publishers, out = unit("10.0.0.8", "6")[:3], tmp_path / "site.toml"
    sentence = r"made\.pcap: holds no unit of four sensors that report °C together \(hosts without .* 10\.0\.0\.8 \(3 every 300 s\)\)"
    with pytest.raises(InputError, match=sentence):
        site_from.run([capture(tmp_path / "made.pcap", publishers)], out, ignore)
    assert list(tmp_path.iterdir()) == [tmp_path / "made.pcap"]


def test_tls_is_named_where_nothing_can_be_read(tmp_path: Path) -> None:
    """The sentence on a capture of TLS says that it cannot be read."""
    hello = made_run.tcp(
        (40_000, 8883), (1000, 2000), made_run.PSH | made_run.ACK, 1, b"\x16\x03\x01\0\5\1ello"
    )
    frame = made_run.ethernet(
        "02:00:00:00:00:02", "02:00:00:00:00:01", 0x0800, made_run.ipv4("10.0.0.5", "10.0.0.1", 6, hello)
    )
    made_run.pcap(tmp_path / "tls.pcap", [(START_NS, frame)])
    with pytest.raises(InputError, match="1 connections are encrypted"):
        site_from.run([tmp_path / "tls.pcap"], None, ignore)


def test_other_bad_input_is_one_sentence(tmp_path: Path) -> None:
    """A time zone, a file or a place that does not exist is named."""
    made = capture(tmp_path / "made.pcap", PLAIN)
    with pytest.raises(InputError, match="time zone is 'Mars'"):
        site_from.run([made], None, ignore, "Mars")
    with pytest.raises(InputError, match=r"none\.pcap"):
        site_from.run([tmp_path / "none.pcap"], None, ignore)
    with pytest.raises(InputError, match="cannot be written"):
        site_from.run([made], tmp_path / "none" / "site.toml", ignore)


def test_standard_output_holds_the_site_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file the TOML goes to standard output, and names a file for the scenario."""
    site_from.run([capture(tmp_path / "made.pcap", PLAIN)], None, ignore, "UTC", MqttOptions())
    text = capsys.readouterr().out
    assert [group["name"] for group in tomllib.loads(text)["devices"]] == ["inrow-5"]
    assert 'site = "my-site.toml"' in text


@pytest.mark.dad
def test_published_monday_gives_the_published_site(tmp_path: Path, dad: Path) -> None:
    """Units, addresses and client ids are those of the published site, medians within 0.15 °C, and nothing is left out."""
    out, ours = tmp_path / "dad.toml", Site()
    site = site_from.run([dad / "capture_1910210000_mon.pcap"], out, ignore)
    assert {name: (own.host, own.clients) for name, own in site.units.items()} == {
        name: (own.host, own.clients) for name, own in ours.units.items()
    }
    for name, own in ours.units.items():
        assert site.units[name].medians == pytest.approx(own.medians, abs=0.15)
    assert "interval_s = 300" in out.read_text()
    assert "Not as in the capture" not in out.read_text()

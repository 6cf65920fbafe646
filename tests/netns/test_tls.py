"""Units that speak TLS: both versions, with and without client certificates, beside units that do not; every promise holds as for plaintext."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import HOUSE
from tests.netns.observe import disagreements, play, remarks

from coldaisle_analysis import dataset
from coldaisle_analysis.export import export
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.errors import TrustError
from coldaisle_contracts.listeners import CA, KEY_LOG
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.site_parameters import load_site
from coldaisle_testbed import conclude, shard_folders, sharding
from coldaisle_testbed.obedience.observed import fields
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order, stage_for
from coldaisle_testbed.verification import verify

pytestmark = pytest.mark.netns
ALONE: dict[str, Any] = {"broker": {"tls": "1.3", "plaintext": False}}
BESIDE: dict[str, Any] = {
    "broker": {"tls": "1.2", "client_certificates": True},
    "devices": [
        {"name": "crah-{number}", "count": 2, "address": 100, "client": "c{number}s{sensor}", "tls": True,
         "topic": "hall/{number}/{sensor}", "payload": '{"celsius": {value}}', "version": "3.1.1"},
        {"name": "rack-{number}", "count": 2, "address": 200, "client": "r{number}s{sensor}"},
    ],
}  # fmt: skip
"""Two encrypted units with certificates of their own, and two that speak plaintext."""


def _episode(kind: str, start: str, unit: str = "", readings: int = 1, **more: Any) -> dict[str, Any]:
    named = {"unit": unit} if unit else {}
    return {"kind": kind, "day": 1, "start": start, "readings": readings, **named, **more}


RUNS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], str]] = {
    "1.3": (
        ALONE,
        [
            _episode("reboot", "00:20", "inrow-13"),
            _episode("stuck-sensor", "00:20", "inrow-15", 3, sensors=[2]),
            _episode("repeating-sensor", "00:35", "inrow-23", 2, variant="once", sensors=[1, 3]),
            _episode("firmware", "00:20", "inrow-25", 4),
            _episode("port-scan", "00:10"),
        ],
        "2050-07-04",
    ),
    "1.3, on the path": (
        {
            "broker": {"tls": "1.3"},
            "devices": [
                {
                    "name": "crah-{number}",
                    "count": 6,
                    "address": 100,
                    "client": "c{number}s{sensor}",
                    "tls": True,
                }
            ],
        },
        [
            _episode("interception", "00:20", "crah-1", 2),
            _episode("appliance", "00:20", "crah-2", 2),
            _episode("reset", "00:20", "crah-3", 2, sensors=[1, 3]),
            _episode("loss", "00:20", "crah-4", 2, sensors=[2, 4], count=2),
            _episode("doubling", "00:20", "crah-5", sensors=[1, 2]),
            _episode("time-forgery", "00:20", "crah-6"),
            _episode("network-loss", "00:40", "crah-5", sensors=[3]),
            *(
                _episode("tampering", start, unit, variant=variant, sensors=[2])
                for start, unit, variant in (
                    ("00:40", "crah-1", "ip.ttl"),
                    ("00:40", "crah-2", "tcp.window"),
                    ("00:40", "crah-4", "eth.dst"),
                )
            ),
        ],
        "2026-03-02",
    ),
    "1.2": (
        BESIDE,
        [
            _episode("takeover", "00:20", "crah-1", sensors=[2]),
            _episode("brute-force", "00:50"),
            _episode("eavesdropping", "00:20", readings=3),
            _episode("modification", "00:20", "rack-1", 2, variant="shift", sensors=[1]),
            _episode("reboot", "00:20", "crah-2"),
            _episode("time-forgery", "00:20", "rack-2"),
        ],
        "2019-10-21",
    ),
}
"""Site, episodes and first day of each run: one lies in the past, one in the future."""


@pytest.fixture(scope="module", params=list(RUNS))
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Account]:
    """The account of an hour of each site, and its version of TLS."""
    site, episodes, first_day = RUNS[request.param]
    plan = build_plan(
        Scenario.model_validate(
            {
                "name": "encrypted", "seed": 3, "first_day": first_day, "time_zone": "UTC", "duration_h": 1, "site": site,
                "episodes": episodes, "accounts": {"operator": "coolant-7"},
            }
        )
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tls") / "run"
    return request.param, play(plan, folder)


@pytest.fixture(scope="module")
def built(played: tuple[str, Account]) -> dataset.Dataset:
    """The dataset of each run."""
    return dataset.build(played[1].evidence.run, played[1])


def test_every_promise_holds(played: tuple[str, Account], built: dataset.Dataset) -> None:
    """The ledger adds up, and the witness finds the label of every frame."""
    _, account = played
    assert ledger.check(account.evidence.run, account) == []
    assert disagreements(account) == []
    assert set(built.packets["kind"]) == {
        "normal",
        *(episode.kind for episode in account.evidence.plan.episodes),
    }


def test_the_wire_shows_records_and_no_messages(played: tuple[str, Account], built: dataset.Dataset) -> None:
    """Frames have the TLS columns that tshark shows, and nothing that is encrypted; messages have what was decrypted."""
    _, account = played
    (path,) = (account.evidence.run / "capture").glob("*.pcap")
    names = (
        "frame.number",
        "tls.record.opaque_type",
        "tls.record.content_type",
        "tls.record.version",
        "tls.record.length",
    )
    shown = {int(row[0]): row[1:] for row in fields(path, "tls.record.version", *names)}
    table = built.packets[built.packets["tls_records"].notna()]
    assert len(table) > 100
    assert set(table["frame_in_file"]) == set(shown)
    for number, kind, version, length, records in table[
        ["frame_in_file", "tls_type", "tls_version", "tls_len", "tls_records"]
    ].itertuples(index=False, name=None):
        opaque, content, versions, lengths = (cell.split(",") for cell in shown[number])
        assert kind == int(content[0] or opaque[0])
        assert (version, length, records) == (int(versions[0], 0), int(lengths[0]), len(lengths))
    encrypted = built.packets[["tcp_srcport", "tcp_dstport"]].eq(8883).any(axis=1)
    assert built.packets.loc[encrypted, "mqtt_msgtype"].isna().all()
    assert built.packets.loc[encrypted, "client"].isna().all()
    within = built.messages[encrypted.to_numpy()[built.messages["frame"] - 1]]
    sent = account.readings[
        [account.evidence.plan.units[unit].dialect.tls for unit in account.readings["unit"]]
    ]
    assert len(within[within["msgtype"] == 3]) >= len(sent) > 0
    assert set(within["client"].astype("str").str.split("-").str[0]) == set(sent["client_id"])


def test_the_key_log_is_the_only_secret_that_stays(played: tuple[str, Account]) -> None:
    """The run keeps key log and certificate of the authority, and no private key; tshark finds no error but ends without a close."""
    version, account = played
    run = account.evidence.run
    assert "PRIVATE KEY" not in "".join(
        path.read_text("latin-1") for path in run.rglob("*") if path.is_file()
    )
    assert (run / "capture" / CA).read_text().count("BEGIN CERTIFICATE") == 1
    label = "CLIENT_RANDOM" if version == "1.2" else "CLIENT_TRAFFIC_SECRET_0"
    assert re.search(rf"^{label} ", (run / "capture" / KEY_LOG).read_text(), re.MULTILINE)
    (path,) = (run / "capture").glob("*.pcap")
    hellos = {
        row[0]
        for row in fields(path, "tls.handshake.type == 1", "tls.handshake.extensions.supported_version")
    }
    assert any("0x0304" in cell for cell in hellos) == (version != "1.2")
    assert not [remark for remark in remarks(path) if "TLS" in remark or "Decrypt" in remark]


def test_a_client_shows_its_certificate_where_it_has_to(played: tuple[str, Account]) -> None:
    """Client certificates are asked for where the site says so (in 1.3 they are encrypted)."""
    version, account = played
    (path,) = (account.evidence.run / "capture").glob("*.pcap")
    rows = fields(path, "tls", "tcp.dstport", "tls.handshake.type")
    certified = any(port == "8883" and "11" in kinds.split(",") for port, kinds in rows)
    assert certified == (version == "1.2")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a day and an hour in two shards, of units that show certificates."""
    site = load_site(HOUSE / "sites" / "examples" / "tls.toml")
    scenario = {
        "name": "tls",
        "seed": 4,
        "first_day": "2026-03-02",
        "time_zone": "UTC",
        "duration_h": 26,
        "interval_s": 3600.0,
    }
    episode = _episode("loss", "05:00", "crah-2", sensors=[4])
    plan = build_plan(
        Scenario.model_validate({**scenario, "keepalive_s": 7200, "site": site, "episodes": [episode]})
    )
    with stage_for(tmp_path_factory.mktemp("finished") / "run") as stage:
        shard_folders.prepare(stage, plan)
        sharding.play(plan, stage, 2, lambda _: None)
        return conclude.conclude(
            stage, Order(engine="netns", shards=2, analyse=False, latest=False), Progress()
        )


def test_a_finished_run_is_verified(finished: Path) -> None:
    """Everything derived is derived again, key log and authority are sealed, and both shards have the same authority."""
    verified = verify(finished)
    assert (verified.proof.precision, verified.proof.recall, verified.proof.unexplained) == (1, 1, 0)
    assert {f"capture/{CA}", f"capture/{KEY_LOG}"} <= set(verified.manifest.files)
    authorities = (finished / "capture" / CA).read_text().split("-----BEGIN")[1:]
    assert len(authorities) == 2
    assert len(set(authorities)) == 1


def test_an_export_opens_decrypted(finished: Path) -> None:
    """Tshark sees MQTT within TLS in the exported captures, without being told of a key log."""
    (folder,) = export(finished, ["pcapng"])
    for path in sorted(folder.glob("*.pcapng")):
        topics = {row[0] for row in fields(path, "tls && mqtt.msgtype == 3", "mqtt.topic")}
        assert topics == {"IoT"}
    assert sorted(path.name for path in folder.iterdir()) == ["day-1-000.pcapng", "day-2-000.pcapng"]


def test_another_key_log_is_noticed(finished: Path, tmp_path: Path) -> None:
    """Without the secrets readings are missing, and the run is not trustworthy."""
    copy = tmp_path / "run"
    shutil.copytree(finished, copy, symlinks=True)
    log = copy / "capture" / KEY_LOG
    log.write_text(re.sub(r"[0-9a-f]{8}$", "00000000", log.read_text(), flags=re.MULTILINE))
    with pytest.raises(TrustError, match=r"capture/tls\.keys: is not what the manifest says"):
        verify(copy)
    problems = ledger.check(copy)
    assert any("sent, but not at the broker" in problem for problem in problems)

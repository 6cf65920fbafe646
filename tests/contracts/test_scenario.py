"""Scenarios: each error is one sentence with file, key, value and remedy."""

import os
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from coldaisle_contracts import texts
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import BENIGN, DRAWN, SHIPPED
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario, load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
HOUSE = (
    "week",
    "intrusions",
    "stealth",
    "benign",
    "faults",
    "dad",
    "hour",
    "hundred",
    "chain",
    "loop",
    "datacentre",
    "intervals",
)
PLANS = {
    "week": "6c6ee541c5ab1e2e",
    "intrusions": "c7e0697ef289a549",
    "stealth": "ff32e4fda50b8055",
    "benign": "cd404d882eb4f239",
    "dad": "38c3482294070087",
    "hour": "90626eff7215f5fa",
    "chain": "c0649669257319fa",
    "loop": "a85976a981177c21",
    "datacentre": "8c147742408ea623",
    "intervals": "ba7b5518bcc18781",
}
"""First digits of the digests of their plans: a run can be checked only while its scenario gives the same plan."""
BASE = 'name = "made"\nseed = 1\nfirst_day = 2026-03-02\ntime_zone = "UTC"\nduration_h = 24\n'
EPISODE = '[[episodes]]\nkind = "removal"\nunit = "inrow-13"\nday = 1\nstart = 01:00:00\nreadings = 2\n'
SCAN = '[[episodes]]\nkind = "port-scan"\nday = 1\nstart = 01:00:00\nreadings = 1\n'
LATE = EPISODE.replace("removal", "delay")
SHIFT = EPISODE.replace("removal", "modification") + 'variant = "shift"\n'


def written(folder: Path, text: str) -> Path:
    """Write a scenario and return its file."""
    path = folder / "made.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    """Return the sentence that refuses a scenario, without the path of the file."""
    path = written(folder, text)
    with pytest.raises(InputError) as caught:
        build_plan(load_scenario(path), str(path))
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    assert caught.value.exit_code == 2
    return sentence.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BASE + "sed = 3", "key sed: remove it, because no such key exists"),
        (
            BASE + EPISODE + "sensor = 1",
            "key episodes.0.sensor: remove it, because removal has no such parameter (it has none)",
        ),
        (BASE + "[site]\nnois = 1", "key site.nois: remove it, because no such key exists"),
        (BASE.replace("seed = 1\n", ""), "key seed: add it, because it is required"),
    ],
)
def test_unknown_and_missing_keys(tmp_path: Path, text: str, expected: str) -> None:
    """The remedy for an unknown key is to remove it, for a missing key to add it."""
    assert complaint(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BASE.replace("seed = 1", "seed = -1"), "key seed is -1: it should be greater than or equal to 0"),
        (BASE.replace("seed = 1", 'seed = "x"'), "key seed is 'x': write a whole number"),
        (BASE.replace("2026-03-02", '"March"'), "key first_day is 'March': write a date such as 2026-03-02"),
        (BASE.replace("made", "A b"), "key name is 'A b': use at most 31 lower-case letters, digits and hyphens"),
        (BASE.replace("UTC", "Mars"), "key time_zone is 'Mars': name an IANA time zone such as 'Europe/Madrid'"),
        (BASE.replace("24", "inf"), "key duration_h is inf: it should be less than or equal to 2208"),
        (BASE + 'time = "fast"', "key time is 'fast': it should be 'virtual' or 'real'"),
        (BASE + 'units = ["inrow-14"]', "key units is 'inrow-14': the site has no such unit: use inrow-13, inrow-15"),
        (BASE + "episodes = 3", "key episodes is 3: write a list, or repeat a table in double brackets"),
        (BASE + "site = 3", "key site is 3: write it as a table"),
        (BASE + "[site]\nautocorrelation = [1, 0, 0, 0]", "key site.autocorrelation.0 is 1: it should be less than 1"),
        (BASE + "[drawn]\nreadings = [5, 2]", "key drawn.readings is [5, 2]: give two numbers with 1 <= shortest <= longest"),
        (BASE + "[drawn]\nkinds = {}", "key drawn.kinds is {}: name at least one"),
        (BASE + EPISODE.replace("removal", "removl"), "key episodes.0.kind is 'removl': use removal"),
        (BASE + EPISODE.replace("01:00:00", '"later"'), "key episodes.0.start is 'later': write a local time of day"),
        (BASE + EPISODE.replace("01:00:00", '"01:00:00+02:00"'), "key episodes.0.start is '01:00:00+02:00': write the local time without"),
        (BASE + EPISODE + "sensors = [5]", "key episodes.0.sensors.0 is 5: it should be less than or equal to 4"),
        (BASE + EPISODE + "sensors = [1, 1]", "key episodes.0.sensors is [1, 1]: name at least one sensor, and none twice"),
    ],
)  # fmt: skip
def test_bad_values(tmp_path: Path, text: str, expected: str) -> None:
    """A value of the wrong type or out of bounds is shown with its remedy."""
    assert complaint(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BASE.replace("UTC", "Europe/Madrid").replace("03-02", "03-29"), "key time_zone is 'Europe/Madrid': its offset changes"),
        (BASE.replace("24", "0.01"), "key duration_h is 0.01: make it at least interval_s, 300 s"),
        (BASE + "interval_s = 350", "key interval_s is 350.0: give a divisor of a day of 86400 s"),
        (BASE + "keepalive_s = 300", "key keepalive_s is 300: make it longer than interval_s, 300 s"),
        (BASE + "units = []", "key units is []: name at least one unit, and none twice"),
        (BASE + "[site.medians]\ninrow-15 = [10, 12, 20, 30]", "key site.medians is ['inrow-15']: add inrow-13, inrow-23, inrow-25"),
        (BASE + EPISODE + 'variant = "freeze"', "key episodes.0.variant is 'freeze': use one of swallow"),
        (BASE + EPISODE + "size = 3", "key episodes.0.size: remove it, because removal has no such parameter (it has none)"),
        (BASE + SHIFT + "size = 51", "key episodes.0.size is 51: give -50 to 50 °C"),
        (BASE + SHIFT + "size = nan", "key episodes.0.size is nan: give -50 to 50 °C"),
    ],
)  # fmt: skip
def test_values_that_do_not_go_together(tmp_path: Path, text: str, expected: str) -> None:
    """If two keys contradict each other, the sentence names one of them with its value, never the whole file."""
    assert complaint(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BASE + EPISODE + EPISODE.replace("01:00", "01:10"), "key episodes.1.start is '01:10:00': it overlaps episodes.0 on inrow-13"),
        (BASE + SCAN + SCAN.replace("01:00", "01:05"), "key episodes.1.start is '01:05:00': it overlaps episodes.0 on broker"),
        (BASE + LATE + EPISODE.replace("01:00", "01:20"), "key episodes.1.start is '01:20:00': it overlaps episodes.0 on inrow-13"),
        (BASE + EPISODE.replace("day = 1", "day = 2"), "key episodes.0.day and .start is '2, 01:00:00': it lies outside of the run of 24 h"),
        (BASE + SCAN.replace("readings = 1", "readings = 2"), "key episodes.0.readings is 2: give 1, because port-scan ends within one slot"),
        (BASE + EPISODE.replace("01:00", "23:55"), "key episodes.0.readings is 2: the episode would end after its day or after the run"),
        (BASE + EPISODE.replace("01:00", "00:05"), "key episodes.0.start is '00:05:00': start at 10 minutes past midnight or later"),
        (BASE + 'units = ["inrow-15"]\n' + EPISODE, "key episodes.0.unit is 'inrow-13': this unit does not run: use inrow-15"),
        (BASE + EPISODE.replace("readings = 2", "readings = 18"), "key episodes.0.readings is 18: give at most 17, or a longer keepalive_s"),
        (BASE + "[drawn]\ncount = 5", "key drawn.clean_days is 1: give less than 1, so that a day of the run is left for episodes"),
        (BASE + "[drawn]\ncount = 1000\nclean_days = 0", "key drawn.count is 1000: only "),
    ],
)  # fmt: skip
def test_episodes_that_cannot_be(tmp_path: Path, text: str, expected: str) -> None:
    """An overlap, or an episode outside the run, is refused with the episode and its key."""
    assert complaint(tmp_path, text).startswith(expected)


def test_files_that_are_none(tmp_path: Path) -> None:
    """A missing file, one that is not TOML and one that is not text are each refused in one sentence."""
    with pytest.raises(InputError, match=r"none\.toml: name a readable scenario file"):
        load_scenario(tmp_path / "none.toml")
    assert complaint(tmp_path, "x =").startswith("write valid TOML (Invalid value (at ")
    path = tmp_path / "latin.toml"
    path.write_bytes(b'name = "\xe9"')
    with pytest.raises(InputError, match=r"latin\.toml: line 1: it is not UTF-8: save the file"):
        load_scenario(path)


def test_neighbours_may_touch_at_two_intervals(tmp_path: Path) -> None:
    """Two episodes on one unit that are two intervals apart, or on two targets at the same time, do not overlap."""
    later = EPISODE.replace("01:00", "01:20")
    elsewhere = EPISODE.replace("inrow-13", "inrow-15")
    path = written(tmp_path, BASE + EPISODE + later + elsewhere + SCAN)
    assert len(build_plan(load_scenario(path)).episodes) == 4


def test_seed_given_replaces_the_file_s(tmp_path: Path) -> None:
    """A seed from the command line replaces the seed of the file."""
    path = written(tmp_path, BASE)
    assert (load_scenario(path).seed, load_scenario(path, seed=9).seed) == (1, 9)


def test_site_from_a_file_beside_the_scenario(tmp_path: Path) -> None:
    """`site = "file"` is searched beside the scenario, and errors in it name that file."""
    (tmp_path / "site.toml").write_text("drift = 0.5\n")
    assert load_scenario(written(tmp_path, BASE + 'site = "site.toml"')).site.drift == 0.5
    (tmp_path / "site.toml").write_text("drift = -0.5\n")
    with pytest.raises(InputError, match=r"site\.toml: key drift is -0\.5: it should be greater"):
        load_scenario(written(tmp_path, BASE + 'site = "site.toml"'))


def test_a_site_stands_for_a_day_of_it(tmp_path: Path) -> None:
    """A site file in place of a scenario is played for a day; errors name its own keys."""
    file = tmp_path / "My Hall.toml"
    file.write_text('[[devices]]\nname = "crah-{number}"\ncount = 2\naddress = 9\n')
    scenario = load_scenario(file, 3, {"duration_h": 12})
    assert (scenario.name, scenario.seed, scenario.duration_h) == ("my-hall", 3, 12)
    assert scenario.units == ("crah-1", "crah-2")
    assert len(build_plan(load_scenario(file)).episodes) == 12
    file.write_text("[[devices]]\naddress = 1\n")
    with pytest.raises(InputError, match=r"My Hall\.toml: key devices\.0\.address is 1"):
        load_scenario(file)
    file.write_text('name = "mine"\n')
    with pytest.raises(InputError, match="key seed: add it"):
        load_scenario(file)


def test_counts_of_slots_and_days() -> None:
    """Slots, days and the end follow from duration and interval; a part of a day counts as one day."""
    scenario = Scenario.model_validate(
        {
            "name": "made",
            "seed": 1,
            "first_day": date(2026, 3, 2),
            "time_zone": "Europe/Madrid",
            "duration_h": 36,
        }
    )
    assert (scenario.slots, scenario.slots_per_day, scenario.days) == (432, 288, 2)
    assert scenario.start.utcoffset() == timedelta(hours=1)
    assert scenario.end == datetime(2026, 3, 3, 11, tzinfo=UTC)


@pytest.mark.parametrize("name", HOUSE)
def test_scenarios_of_the_house_have_a_plan(name: str) -> None:
    """Every scenario in the repository has a plan."""
    path = SCENARIOS / f"{name}.toml"
    assert build_plan(load_scenario(path), str(path)).scenario.name == name


def test_plans_of_the_house_stay_as_they_are() -> None:
    """A new kind, or anything else, changes no plan of a scenario on the published site."""
    plans = {name: build_plan(load_scenario(SCENARIOS / f"{name}.toml")).digest()[:16] for name in PLANS}
    assert plans == PLANS


def test_faults_stand_beside_their_attacks() -> None:
    """In faults.toml each faulty sensor begins when the attack of the same parameters does, on another unit, and both change places."""
    episodes = build_plan(load_scenario(SCENARIOS / "faults.toml")).episodes
    units = dict[str, list[tuple[str, str]]]()
    for first, second in zip(episodes[::2], episodes[1::2], strict=True):
        attack, fault = sorted((first, second), key=lambda episode: episode.row.benign)
        assert not attack.row.benign
        for name in ("onset", "readings", "variant", "sensors", "parameters"):
            assert getattr(attack, name) == getattr(fault, name), name
        units.setdefault(fault.kind, []).append((attack.unit, fault.unit))
    assert set(units) == set(BENIGN) - set(DRAWN)
    for here, there in units.values():
        assert here == there[::-1] != there


def test_every_scenario_of_the_house_is_tested() -> None:
    """Every file in scenarios/ is in the list above."""
    assert {path.stem for path in SCENARIOS.glob("*.toml")} == set(HOUSE)


def test_intrusions_hold_everything() -> None:
    """In intrusions.toml every kind but faulty sensors occurs three times or more, every variant once or more, and the first day is clean."""
    scenario = load_scenario(SCENARIOS / "intrusions.toml")
    plan = build_plan(scenario)
    kinds = Counter(planned.kind for planned in plan.episodes)
    assert set(kinds) == set(DRAWN)
    assert min(kinds.values()) >= 3
    played = {(planned.kind, planned.variant) for planned in plan.episodes}
    assert played == {(name, variant) for name in DRAWN for variant in SHIPPED[name].variants}
    assert sum(scenario.drawn.kinds.values()) == scenario.drawn.count == len(plan.episodes)
    assert plan.episodes_on(range(1)) == []
    assert len(scenario.accounts) == 2


def test_stealth_hides_whatever_can_hide() -> None:
    """In stealth.toml every kind that can hide occurs and hides; every other kind is faint or has no strength."""
    plan = build_plan(load_scenario(SCENARIOS / "stealth.toml"))
    assert {planned.kind for planned in plan.episodes if planned.stealth} == {
        kind.name for kind in SHIPPED.values() if kind.stealth
    }
    for planned in plan.episodes:
        assert planned.stealth or not planned.row.stealth
        assert not planned.row.benign
        quiet = "rate" not in planned.parameters or planned.parameters["rate"] <= 10
        assert planned.stealth or quiet


def test_benign_holds_no_attack() -> None:
    """In benign.toml every benign kind but faulty sensors occurs equally often, and no other kind does."""
    kinds = Counter(planned.kind for planned in build_plan(load_scenario(SCENARIOS / "benign.toml")).episodes)
    assert set(kinds) == set(BENIGN) & set(DRAWN)
    assert len(set(kinds.values())) == 1


def test_published_week_attacks_when_the_captures_do() -> None:
    """dad.toml removes the 40 readings missing on Tuesday and attacks one unit in the labelled hours of Wednesday and Thursday."""
    plan = build_plan(load_scenario(SCENARIOS / "dad.toml"))
    assert (plan.scenario.slots * 16, plan.utc_offset_s) == (32_256, 7200)
    assert {episode.unit for episode in plan.episodes} == {"inrow-13"}
    tuesday, wednesday, thursday = (plan.episodes_on(range(day, day + 1)) for day in (1, 2, 3))
    assert sum(len(episode.acts) for episode in tuesday) == 40
    assert plan.episodes_on(range(1)) == []
    assert [(planned.kind, planned.readings) for planned in wednesday] == [("modification", 26)]
    assert plan.reading_ns(wednesday[0].onset, "inrow-13") // 10**9 - 1571796607 in range(-10, 10)
    assert [(planned.kind, planned.variant) for planned in thursday] == [("duplication", "burst")]
    assert plan.reading_ns(thursday[0].onset, "inrow-13") // 10**9 - 1571879106 in range(-10, 10)
    assert sum(len(planned.acts) for planned in plan.episodes if planned.kind == "removal") == 140


@pytest.mark.parametrize(
    ("first_day", "good"),
    [
        ("0001-01-01", False),
        ("1969-12-31", False),
        ("1970-01-01", True),
        ("2036-02-07", True),
        ("2096-02-29", True),
        ("2106-02-06", True),
        ("2106-02-07", False),
        ("2300-01-01", False),
        ("9999-12-31", False),
    ],
)
def test_days_that_a_capture_has_stamps_for(tmp_path: Path, first_day: str, good: bool) -> None:
    """A run outside the range of 32-bit seconds since 1970 is refused with that reason; leap days inside it are accepted."""
    text = BASE.replace("2026-03-02", first_day)
    if good:
        (tmp_path / "made.toml").write_text(text)
        assert str(load_scenario(tmp_path / "made.toml").first_day) == first_day
    else:
        assert complaint(tmp_path, text) == (
            f"key first_day is '{first_day}': choose days from 1970-01-01 to 2106-02-07, UTC, "
            "because captures count seconds since 1970 in 32 bits"
        )


def test_a_zone_that_leaves_its_offset_and_comes_back(tmp_path: Path) -> None:
    """Morocco changes its offset only for Ramadan: a run that begins before and ends after has equal offsets at both ends and is still refused."""
    text = BASE.replace("UTC", "Africa/Casablanca").replace("2026-03-02", "2026-02-10")
    (tmp_path / "made.toml").write_text(text.replace("duration_h = 24", "duration_h = 120"))
    assert load_scenario(tmp_path / "made.toml").days == 5
    assert "offset changes" in complaint(tmp_path, text.replace("duration_h = 24", "duration_h = 1200"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed = " + "9" * 5_000, "write valid TOML (a number has too many digits)"),
        ("x = " + "[" * 5_000, "write valid TOML (its brackets are nested too deeply)"),
        ("a." * 20_000 + "b = 1", "write valid TOML (a key has too many parts)"),
        ("x = {b = 1, " + "a." * 20_000 + "b = 1}", "write valid TOML (a key has too many parts)"),
        (BASE + "[drawn]\nkinds = {removal = inf}", "key drawn.kinds.removal is inf: it should be less than"),
        (BASE.replace("seed = 1", "seed = " + "9" * 4_000), "key seed is a number of about 3,986 digits: it should"),
        (BASE.replace("UTC", "a." * 3_000), "key time_zone is 'a.a."),
        (BASE.replace("UTC", "x" * 100_000), "key time_zone is '" + "x" * 100 + "'…: name an IANA time zone"),
        (BASE + '[accounts]\n"a\\nb\\u001b[31m" = "c"', "key accounts.a\\nb\\x1b[31m is"),
    ],
)  # fmt: skip
def test_hostile_toml_is_one_short_sentence(tmp_path: Path, text: str, expected: str) -> None:
    """Huge numbers, endless nesting, endless weights and names with control characters are refused at once in a cut and escaped sentence."""
    sentence = complaint(tmp_path, text)
    assert sentence.startswith(expected)
    assert sentence.isprintable()
    assert len(sentence) < 600


@pytest.mark.parametrize("place", ["/dev/zero", "pipe", "folder", "none\0.toml"])
def test_what_is_no_text_file_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """An endless device, a pipe without a writer, a folder and an impossible file name are refused without a long wait."""
    monkeypatch.setattr(texts, "PATIENCE_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as caught:
        load_scenario(tmp_path / place)
    assert str(caught.value).isprintable()


def test_a_scenario_through_a_pipe(tmp_path: Path) -> None:
    """A scenario can be read from a pipe that another process writes into."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(BASE,))
    writer.start()
    assert load_scenario(pipe).name == "made"
    writer.join()

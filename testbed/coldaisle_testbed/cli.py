"""The command line. Heavy libraries are imported by the command that needs them, so `--help` is quick.

The module is long because it has one function per command, with hardly more than its options, in the order of `--help`.
"""

import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from coldaisle_contracts import texts
from coldaisle_contracts.analyses import refuse_sealed
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Engine, Manifest
from coldaisle_contracts.site_parameters import load_site
from coldaisle_testbed import json_output
from coldaisle_testbed.campaign_cli import campaign_app
from coldaisle_testbed.commands import (
    HOUSE,
    RUNS,
    AsJson,
    LabelsOption,
    PolicyName,
    PortOption,
    SeriesOption,
    VersionOption,
    ZoneOption,
    command,
    mqtt_options,
    say,
)
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.site_cli import site_app

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coldaisle_contracts.overrides import Overrides
    from coldaisle_contracts.plan import Plan

app = typer.Typer(
    help="A virtual data-centre cold aisle: IoT traffic in which every frame has an exact label.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
scenario_app = typer.Typer(help="Check a scenario, or show what it plans.", no_args_is_help=True)
app.add_typer(scenario_app, name="scenario")
app.add_typer(site_app, name="site")
app.add_typer(campaign_app, name="campaign")


def run(arguments: list[str]) -> None:
    """Run the command that the arguments name.

    Raises:
        ColdaisleError: if it fails; where JSON is asked for, the error is on standard output, too.
    """
    words = spread(arguments)
    if not json_output.is_wanted(words):
        app(words, prog_name="coldaisle")
        return
    with json_output.errors():
        app(words, prog_name="coldaisle", standalone_mode=False)


def _print_version(wanted_now: bool) -> None:
    if wanted_now:
        from coldaisle_testbed import provenance  # noqa: PLC0415

        say(f"coldaisle {provenance.version() or 'of unknown version'}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def spread(
    arguments: list[str],
    options: tuple[str, ...] = (
        "--pcap",
        "--port",
        "--labels",
        "--series",
        "--to",
        "--weeks",
        "--alerts",
        "--against",
        "--episode",
    ),
) -> list[str]:
    """Let an option take all the values that follow it, as a shell's ``*.pcap`` gives them.

    ``--pcap a b`` becomes ``--pcap a --pcap b``, the only form Typer knows; ``--port`` takes the numbers that follow. ``audit --json`` without a file writes to standard output.
    """
    out: list[str] = []
    repeating = ""
    for index, argument in enumerate(arguments):
        if argument.startswith("-"):
            repeating = argument if argument in options else ""
        elif repeating and out[-1] != repeating and (repeating != "--port" or argument.isdecimal()):
            out.append(repeating)
        out.append(argument)
        if arguments[0] == "audit" and argument == "--json" and _is_option(arguments[index + 1 :]):
            out.append(json_output.STANDARD_OUTPUT)
    return out


def _is_option(following: list[str]) -> bool:
    """Tell whether an option without a value comes next, or nothing."""
    return not following or (following[0].startswith("-") and following[0] != json_output.STANDARD_OUTPUT)


def _plan(
    path: Path,
    seed: int | None,
    without: frozenset[str] = frozenset(),
    overrides: "Overrides | None" = None,
) -> "Plan":
    """Return the plan of a scenario with other values of some keys, and without the episodes of some kinds."""
    from coldaisle_contracts.kinds import KINDS  # noqa: PLC0415
    from coldaisle_contracts.planning import build_plan  # noqa: PLC0415
    from coldaisle_contracts.scenario import load_scenario  # noqa: PLC0415

    KINDS.origins()  # an installed package with a name that is taken is refused here, whether it is used or not
    return build_plan(load_scenario(path, seed, overrides), str(path), without)


def _playable(plan: "Plan", planned: "Callable[[frozenset[str]], Plan]", progress: Progress) -> "Plan":
    """Return the plan without the kinds that this machine cannot play; report them before anything starts.

    Args:
        plan: the plan with every kind.
        planned: returns the plan without the episodes of some kinds.
        progress: called with one sentence per ability that is missing.
    """
    from coldaisle_testbed import probe  # noqa: PLC0415

    kinds, sentences = probe.left_out(plan, probe.lacking())
    for sentence in sentences:
        progress(sentence)
    return planned(kinds) if sentences else plan


def _engine(name: Engine | None) -> Engine:
    """Return the engine to use: the named one, else netns for root, else compose where a Docker Engine answers."""
    if name is not None:
        if name == "netns" and os.geteuid() != 0:
            raise InputError(
                "--engine", "netns needs root: call coldaisle with sudo, or use --engine compose", "netns"
            )
        return name
    if os.geteuid() == 0:
        return "netns"
    from coldaisle_testbed.engines import compose  # noqa: PLC0415

    if compose.answers():
        return "compose"
    raise InputError(
        "engine",
        "none works here: call coldaisle as root (netns), or start Docker and join its group (compose)",
    )


@command(
    app,
    "coldaisle up",
    "coldaisle up scenarios/hour.toml --engine compose",
    "coldaisle up --seed 7 --out /tmp/week7",
    "coldaisle up --set duration_h=48 --set drawn.count=20",
    "coldaisle up --resume runs/.20260302-101112-week-2026",
)
def up(
    scenario: Annotated[
        Path | None, typer.Argument(help="Scenario or site file; default: scenarios/week.toml.")
    ] = None,
    engine: Annotated[
        Engine | None, typer.Option(help="Engine that plays it; default: netns for root, else compose.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; default: runs/<id>.")] = None,
    shards: Annotated[
        int | None,
        typer.Option(min=1, help="Number of shards (netns); default: one per day."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the scenario's seed.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE: another value of a key of the scenario; repeat it."),
    ] = None,
    no_analysis: Annotated[bool, typer.Option("--no-analysis", help="Stop after the dataset.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write the dataset as CSV, too.")] = False,
    resume: Annotated[
        Path | None, typer.Option(help="Unfinished run to go on with; it holds all other settings.")
    ] = None,
) -> None:
    """Play a scenario and turn it into a labelled dataset, trained classifiers and a report."""
    from coldaisle_contracts.overrides import parsed  # noqa: PLC0415
    from coldaisle_testbed import making  # noqa: PLC0415
    from coldaisle_testbed.stage import Order  # noqa: PLC0415

    progress = Progress()
    if resume is not None:
        if (
            no_analysis
            or csv
            or any(option is not None for option in (scenario, engine, out, shards, seed, changes))
        ):
            raise InputError("--resume", "it takes no other option: the unfinished run holds all settings")
        making.resume(resume, _engine, progress)
        return
    file = scenario or HOUSE / "scenarios" / "week.toml"
    planned = partial(_plan, file, seed, overrides=parsed(changes or ()))
    plan, chosen = planned(), _engine(engine)
    if chosen == "netns":
        plan = _playable(plan, planned, progress)
    order = Order(
        engine=chosen,
        shards=making.shards_of(plan, shards),
        analyse=not no_analysis,
        latest=out is None,
        csv=csv,
    )
    making.begin(plan, order, RUNS, out, progress)


@command(
    app,
    "coldaisle inject runs/.20260302-101112-lecture-7 modification --unit inrow-13 --set variant=shift --set size=4",
    "coldaisle inject runs/.20260302-101112-lecture-7 publish-flood --json",
)
def inject(
    run: Annotated[Path, typer.Argument(help="Folder of a run that is being played in real time.")],
    kind: Annotated[str, typer.Argument(help="Kind of the episode, see docs/attacks.md.")],
    unit: Annotated[
        str | None, typer.Option(help="Unit concerned; none where the target is the broker.")
    ] = None,
    readings: Annotated[
        int | None, typer.Option(min=1, help="Length in slots; default: 3, or 1 for a brief kind.")
    ] = None,
    day: Annotated[
        int | None, typer.Option(min=1, help="Day of the run, where several are played side by side.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE: any other key of an episode, such as size=4; repeat it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put an episode into a run while it is played; its ledger and labels then account for it."""
    from coldaisle_contracts.overrides import parsed  # noqa: PLC0415
    from coldaisle_testbed import injecting  # noqa: PLC0415

    injected = injecting.inject(run, injecting.wish_of(kind, unit, readings, parsed(changes or ())), day)
    if as_json:
        json_output.write(injected.facts())
    else:
        say(injected.sentence())


@command(
    app,
    "coldaisle verify runs/latest",
    "coldaisle verify runs/latest --manifest-digest 3f0c…",
    "coldaisle verify runs/latest --signers allowed_signers",
    "coldaisle verify runs/latest --json | jq .recall",
)
def verify(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    manifest_digest: Annotated[
        str | None, typer.Option(help="Expected sha256 of manifest.json, as `up` printed it.")
    ] = None,
    signers: Annotated[
        Path | None, typer.Option(help="Who may have signed it, in ssh-keygen's format of allowed signers.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a finished run again: hashes, conservation, labels and everything derived. Exit 3 names each problem."""
    Manifest.load(run)  # refuses a folder that is no run before the slow imports
    from coldaisle_testbed import verification  # noqa: PLC0415

    verified = verification.verify(run, manifest_digest, signers)
    if as_json:
        json_output.write(verified.facts())
    else:
        say(*verified.sentences())


@command(app, "coldaisle sign runs/latest --key ~/.ssh/id_ed25519")
def sign(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    key: Annotated[
        Path, typer.Option(help="SSH key: private, or the .pub file of one that an SSH agent holds.")
    ],
) -> None:
    """Sign a finished run's manifest with an SSH key; `verify --signers` checks it."""
    from coldaisle_testbed import signing  # noqa: PLC0415

    say(f"signed: {signing.sign(run, key)}")


@command(app, "coldaisle reproduce runs/latest --engine compose", "coldaisle reproduce manifest.json")
def reproduce(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, or its manifest.json alone.")],
    engine: Annotated[
        Engine | None, typer.Option(help="Engine that plays it; default: the engine of the run.")
    ] = None,
) -> None:
    """Play the plan of a run again and compare the results. Exit 3 names the first difference."""
    manifest, progress = Manifest.load(run), Progress()
    chosen = _engine(engine or manifest.engine)
    from coldaisle_testbed import making  # noqa: PLC0415
    from coldaisle_testbed import reproduce as reproducing  # noqa: PLC0415

    def play(plan: "Plan", stage: Path) -> None:
        making.play(plan, chosen, stage, plan.scenario.days, {}, progress)

    say(*reproducing.reproduce(run, play, progress).splitlines())


@command(
    app,
    "coldaisle twin runs/latest",
    "coldaisle twin runs/latest --episode e07 e09",
    "coldaisle twin runs/latest --json | jq .kinds.interception",
)
def twin(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    episode: Annotated[
        list[str] | None,
        typer.Option(help="Episode to leave out; repeat it. Default: every attack, each once."),
    ] = None,
    engine: Annotated[
        Engine | None, typer.Option(help="Engine that plays it; default: the engine of the run.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play a run again without an attack, and show what the attack changed: on the wire, in timing, in values."""
    manifest, progress = Manifest.load(run), Progress()
    from coldaisle_testbed import making, twins  # noqa: PLC0415
    from coldaisle_testbed.show import twin_tables  # noqa: PLC0415

    def play(plan: "Plan", stage: Path) -> None:
        making.play(plan, chosen(), stage, manifest.shards, {}, progress)

    def chosen() -> Engine:
        return _engine(engine or manifest.engine)

    names = tuple(episode or ())
    twins.make(run, names, chosen, play, progress)
    summary = twins.summary(run, names)
    if as_json:
        json_output.write(summary)
    else:
        Console().print(*twin_tables.of(summary, one_by_one=bool(names)), sep="\n", highlight=False)


@command(
    app,
    "coldaisle analyse runs/latest",
    "coldaisle analyse runs/latest --tune --weeks runs/*-week-2027 runs/*-week-2028",
    "coldaisle analyse /data/week --out results",
    "coldaisle analyse --pcap dad/*.pcap --labels dad/*.csv --out report",
)
def analyse(
    run: Annotated[Path | None, typer.Argument(help="Folder of a finished run.")] = None,
    pcap: Annotated[list[Path] | None, typer.Option(help="Capture, Ethernet and IPv4; repeat it.")] = None,
    labels: LabelsOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; default: a new one in the run.")
    ] = None,
    tune: Annotated[bool, typer.Option("--tune", help="Tune every model first; takes minutes.")] = False,
    weeks: Annotated[
        list[Path] | None,
        typer.Option(help="Other runs to test on; the models learn from this run alone. Repeat it."),
    ] = None,
    series: SeriesOption = None,
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Analyse a run again, or labelled captures."""
    progress = Progress()
    if run is not None and not pcap:
        Manifest.load(run)  # refuses a folder that is no run before the slow imports
        from coldaisle_testbed import conclude  # noqa: PLC0415

        conclude.again(run, progress, tuned=tune, weeks=weeks or [], out=out)
        return
    if not pcap or not labels or out is None:
        raise InputError("analyse", "give the folder of a run, or --pcap FILE… --labels FILE… --out DIR")
    refuse_sealed(out)
    mqtt = mqtt_options(port, mqtt_version)
    from coldaisle_analysis import pipeline  # noqa: PLC0415

    pipeline.analyse_captures(pcap, labels, out, progress, tuned=tune, series=series or (), mqtt=mqtt)


@command(
    app,
    "coldaisle decode a.pcap b.pcapng --out tables",
    "coldaisle decode rotated.pcap --out tables --port 1883 1884 --mqtt-version 5",
)
def decode(
    pcap: Annotated[list[Path], typer.Argument(help="Captures, pcap or pcapng, in order.")],
    out: Annotated[Path, typer.Option(help="Folder for packets.parquet and messages.parquet.")],
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Decode captures of any size into two tables: one row per frame, one row per MQTT control packet."""
    refuse_sealed(out)
    mqtt = mqtt_options(port, mqtt_version)
    from coldaisle_analysis import decoding  # noqa: PLC0415

    written = decoding.write(pcap, out, decoding.Decoder(mqtt.ports, version=mqtt.version))
    say(f"{written.frames:,} frames, {written.messages:,} messages: {out}", *written.remarks)


@command(
    app,
    "coldaisle score runs/latest/models/packets.random_forest.skops other.pcap",
    "coldaisle score model.skops a.pcap b.pcap --policy '1 a day' --out scores",
)
def score(
    model: Annotated[Path, typer.Argument(help="Model file, from the folder models/ of an analysed run.")],
    pcap: Annotated[list[Path], typer.Argument(help="Captures, pcap or pcapng, in order.")],
    policy: PolicyName = "best F1",
    out: Annotated[Path | None, typer.Option(help="Folder for scores.parquet and alarms.jsonl.")] = None,
    as_json: AsJson = False,
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Score every frame of any capture with a trained detector."""
    refuse_sealed(out)
    from coldaisle_analysis.detection import scoring  # noqa: PLC0415

    scored = scoring.score(model, pcap, policy, out, mqtt_options(port, mqtt_version))
    if as_json:
        place = str(out) if out else None
        facts = {"frames": scored.frames, "alarms": scored.alarms, "out": place, "remarks": scored.remarks}
        json_output.write(facts)
    else:
        say(*scored.lines())


@command(
    app,
    "coldaisle live",
    "coldaisle live --policy early --mqtt 127.0.0.1:1884",
    "coldaisle live --model m.skops",
)
def live(
    run: Annotated[
        Path | None,
        typer.Argument(help="Folder of a run, finished or not; default: the run that is being made."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model file; default: the best of the newest run that spans a day or more.",
            envvar="COLDAISLE_MODEL",
        ),
    ] = None,
    policy: PolicyName = "best F1",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the alarms; default: runs/alarms/<run>.")
    ] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(help="MQTT listener for the alarms: HOST:PORT, mqtt://USER@HOST:PORT or mqtts://…"),
    ] = None,
    mqtt_password: Annotated[
        Path | None, typer.Option(help="File whose first line is USER's password.")
    ] = None,
    mqtt_ca: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) to verify an mqtts:// listener with.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where the runs are.")] = RUNS,
) -> None:
    """Watch a run while it is played; write alarms as JSON lines and MQTT messages, each with its delay."""
    refuse_sealed(out)
    from coldaisle_testbed import live as watching  # noqa: PLC0415

    where = watching.Address.parse(mqtt, mqtt_password, mqtt_ca) if mqtt is not None else None
    watching.watch(runs, run, model, policy, out, where, Progress())


@command(
    app,
    "coldaisle audit runs/latest",
    "coldaisle audit flows.csv --label Label --json SCORECARD.json",
    "coldaisle audit 'Day*.csv' --label Label --benign Background",
    "coldaisle audit runs/latest --json | jq .counts",
    "coldaisle audit --pcap dad/*.pcap --labels dad/*.csv",
)
def audit(
    subject: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Run, or table with labels: files (CSV, Parquet, Zeek log, ARFF), folder, pattern."
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="Label column of a table.")] = "label",
    benign: Annotated[
        list[str] | None,
        typer.Option(help="Class of a table that is no attack, beside the usual; repeat it."),
    ] = None,
    pcap: Annotated[list[Path] | None, typer.Option(help="Capture, Ethernet and IPv4; repeat it.")] = None,
    labels: LabelsOption = None,
    json: Annotated[
        Path | None,
        typer.Option(help="Write the scorecard into this file too; without a file, print it alone."),
    ] = None,
    series: SeriesOption = None,
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Report what may be wrong with a labelled dataset: signals with evidence, not verdicts."""
    if not subject and not (pcap and labels):
        also = "" if json is None else f" ({json} is the file that --json writes)"
        raise InputError("audit", f"give a run, a table with labels, or --pcap FILE… --labels FILE…{also}")
    refuse_sealed(json, "--json")
    mqtt = mqtt_options(port, mqtt_version)
    from coldaisle_analysis.audit import examine, scorecard, terminal  # noqa: PLC0415

    if benign and not (subject and not pcap and examine.is_table(subject)):
        raise InputError("--benign", "is for tables, whose classes have names: leave it out", benign[0])
    remarks: Sequence[str] = ()
    if pcap and labels:
        name, results, remarks = examine.captures(pcap, labels, series or (), mqtt)
    elif subject and examine.is_table(subject):
        name, results, remarks = examine.table(subject, label, benign or [])
    else:
        name, results = examine.path((subject or [Path()])[0], label)
    if json == Path(json_output.STANDARD_OUTPUT):
        json_output.write(scorecard.as_dict(name, results, remarks))
        return
    if json is not None:
        scorecard.write(name, results, json, remarks)
    Console().print(*terminal.tables(name, results, remarks), sep="\n", highlight=False)


@command(
    app,
    "coldaisle export runs/latest --to pcapng",
    "coldaisle export runs/latest --to zeek eve --out /data/week",
)
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    to: Annotated[
        list[str] | None, typer.Option(help="parquet, csv, pcapng, zeek or eve; repeat it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the files; default: export in the run.")] = None,
) -> None:
    """Write a run in formats of other tools: Parquet by day, CSV, labelled pcapng, Zeek logs, EVE events."""
    refuse_sealed(out)
    from coldaisle_analysis import export as exporting  # noqa: PLC0415

    say(*map(str, exporting.export(run, to or [], out)))


@command(
    app,
    "coldaisle judge runs/latest eve.json",
    "coldaisle judge runs/latest notice.log conn.log --name zeek --json | jq .f1",
    "coldaisle judge --pcap dad/*.pcap --labels dad/*.csv --alerts alerts.csv",
)
def judge(
    run: Annotated[Path | None, typer.Argument(help="Folder of a finished run.")] = None,
    files: Annotated[list[Path] | None, typer.Argument(help="Files of one detector's alerts.")] = None,
    pcap: Annotated[list[Path] | None, typer.Option(help="Capture, Ethernet and IPv4; repeat it.")] = None,
    labels: LabelsOption = None,
    alerts: Annotated[
        list[Path] | None, typer.Option(help="File of alerts, as the argument; repeat it.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the detector; default: that of the format.")
    ] = None,
    within: Annotated[
        float, typer.Option(help="How far in time from an alert its frame may be, in s.")
    ] = 1.0,
    threshold: Annotated[float, typer.Option(help="Score that an alert must reach.")] = 0.0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; default: a new analysis of the run.")
    ] = None,
    as_json: AsJson = False,
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Score alerts of any detector (Suricata, Zeek, Snort, Slips, a table) against the labels, like our models."""
    pcaps, tables = pcap or [], labels or []
    paths = [*([run] if pcaps and run is not None else []), *(files or []), *(alerts or [])]
    if pcaps and not paths:  # --labels takes every word that follows it
        tables, paths = tables[: len(pcaps)], tables[len(pcaps) :]
    if not paths or bool(pcaps) != bool(tables) or (run is None and not pcaps):
        raise InputError("judge", "give RUN ALERTS…, or --pcap FILE… --labels FILE… --alerts FILE…")
    refuse_sealed(out)
    mqtt = mqtt_options(port, mqtt_version)
    if run is not None and not pcaps:
        from coldaisle_contracts.manifest import Manifest  # noqa: PLC0415

        Manifest.load(run)  # refuses a folder that is no run before the slow imports
    from coldaisle_analysis.judge import Terms  # noqa: PLC0415
    from coldaisle_testbed import judged  # noqa: PLC0415

    terms = Terms(name, within, threshold)
    judgement, folder = (
        judged.on_captures(pcaps, tables, paths, terms, out, mqtt)
        if pcaps or run is None
        else judged.on_run(run, paths, terms, out)
    )
    if as_json:
        json_output.write(judged.facts(judgement, folder))
    else:
        say(*judged.lines(judgement, folder))


@command(
    app,
    "coldaisle fidelity runs/dad-* --against dad/*.pcap",
    "coldaisle fidelity runs/dad-* --against dad/*.pcap --out fidelity.md --json | jq .large",
)
def fidelity(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of one scenario.")],
    against: Annotated[
        list[Path] | None, typer.Option(help="Published capture, a day each; repeat it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Markdown file for the result.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all draws.")] = 0,
    as_json: AsJson = False,
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Report how like published captures the plays of a scenario are: distances, and a classifier that tells them apart."""
    refuse_sealed(out)
    mqtt = mqtt_options(port, mqtt_version)
    for run in runs:
        Manifest.load(run)  # refuses a folder that is no run before the slow imports
    from coldaisle_analysis import fidelity as likeness  # noqa: PLC0415
    from coldaisle_analysis.fidelity import result, terminal  # noqa: PLC0415

    compared = likeness.measure(runs, against or [], Progress(), seed=seed, mqtt=mqtt)
    if out is not None:
        with texts.writable("--out", "name a file in a folder that exists", str(out)):
            texts.write(out, result.markdown(compared))
    if as_json:
        json_output.write(result.facts(compared))
    else:
        Console().print(*terminal.tables(compared), sep="\n", highlight=False)


@command(
    app,
    "coldaisle fit site.pcap > site.toml",
    "coldaisle fit readings.csv --out site.toml",
    "coldaisle fit runs/*/dataset/readings.csv --site sites/examples/hundred.toml --out fitted.toml",
)
def fit(
    files: Annotated[list[Path], typer.Argument(help="Captures, or CSV with time, unit, sensor, value.")],
    out: Annotated[Path | None, typer.Option(help="TOML file a scenario can name as its site.")] = None,
    time_zone: ZoneOption = "UTC",
    site: Annotated[
        Path | None, typer.Option(help="Site file with the units; default: the published ones.")
    ] = None,
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Estimate the parameters of a real site from its readings."""
    refuse_sealed(out)
    units = None if site is None else load_site(site)
    from coldaisle_analysis.fitting import fit as fitting  # noqa: PLC0415

    fitting.run(files, out, Progress(), time_zone, mqtt_options(port, mqtt_version), units)


@command(scenario_app, "coldaisle scenario check scenarios/week.toml", name="check")
def scenario_check(
    file: Annotated[Path, typer.Argument(help="Scenario or site file.")], as_json: AsJson = False
) -> None:
    """Check a scenario; exit 2 names file, key, value and what would be right."""
    plan = _plan(file, None)
    slots, episodes, digest = plan.scenario.slots, len(plan.episodes), plan.digest()
    if as_json:
        json_output.write({
            "scenario": plan.scenario.name, "seed": plan.scenario.seed, "slots": slots, "episodes": episodes,
            "plan_digest": digest,
        })  # fmt: skip
    else:
        say(f"{file}: {slots:,} slots, {episodes} episodes, plan {digest[:16]}")


@command(
    scenario_app,
    "coldaisle scenario show scenarios/week.toml --seed 7",
    "coldaisle scenario show scenarios/intrusions.toml --list",
    "coldaisle scenario show scenarios/week.toml --svg week.svg",
    name="show",
)
def scenario_show(
    file: Annotated[Path, typer.Argument(help="Scenario or site file.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the scenario's seed.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file too.")] = None,
    every: Annotated[bool, typer.Option("--list", help="List every episode, too.")] = False,
) -> None:
    """Draw what a scenario plans: its days as a timeline in local time, and what all of it takes."""
    refuse_sealed(svg, "--svg")
    plan, console = _plan(file, seed), Console()
    from coldaisle_testbed.show import listings, picture, timeline  # noqa: PLC0415

    if svg is not None:
        picture.write(plan, svg)
    plain = not console.encoding.lower().startswith("utf")
    console.print(f"[bold]{plan.scenario.name}[/]: {timeline.sentence(plan)}\n", highlight=False)
    console.print(
        timeline.drawn(plan, console.width, plain=plain),
        timeline.totals(plan),
        *timeline.chains(plan),
        sep="\n",
        highlight=False,
    )
    if every:
        console.print("", listings.of_episodes(plan), sep="\n", highlight=False)


@command(app, "coldaisle runs", "coldaisle runs --clean", "coldaisle runs --folder /data/runs")
def runs(
    folder: Annotated[Path, typer.Option(help="Where the runs are.")] = RUNS,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what interrupted runs have left behind.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List runs, and what interrupted runs have left behind with the remedy for each."""
    from coldaisle_testbed import leftovers  # noqa: PLC0415
    from coldaisle_testbed.campaign import remains  # noqa: PLC0415
    from coldaisle_testbed.show import listings  # noqa: PLC0415

    def found() -> list[leftovers.Leftover]:
        return [*leftovers.find(folder), *remains.find(folder)]

    removed = leftovers.clean(found()) if clean else []
    listed, remaining = [] if clean else listings.runs_in(folder), found()
    if as_json:
        named = {"removed": removed, "kept": remaining} if clean else {"leftovers": remaining}
        facts = {key: [leftover.facts() for leftover in group] for key, group in named.items()}
        lists = {
            "runs": [asdict(row) for row in listed],
            "campaigns": [asdict(row) for row in remains.campaigns(folder)],
        }
        json_output.write(facts if clean else {**lists, **facts})
    elif clean:
        say(*(f"removed {leftover}" for leftover in removed), *(f"kept {leftover}" for leftover in remaining))
        if not removed:
            say("there was nothing to remove")
    else:
        if listed:
            Console().print(listings.of_runs(listed))
        else:
            say(f"no runs in {folder}: make one with `coldaisle up`")
        say(*map(str, [*remains.campaigns(folder), *remaining]))
        if any(not leftover.busy and not leftover.keep for leftover in remaining):
            say("`coldaisle runs --clean` removes what is left over")


@command(
    app,
    "coldaisle desk",
    "coldaisle desk runs/latest --port 8900",
    "coldaisle desk --runs /data/runs --allow-play",
)
def desk(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a run, finished or in the making, or of a campaign; default: all runs."
        ),
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Folder of the runs; default: runs.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the page; 0 for a free one.")] = 8899,
    allow_play: Annotated[
        bool,
        typer.Option(
            "--allow-play",
            help="Let the page start scenarios, stop what it started, and put episodes into runs in real time.",
        ),
    ] = False,
    token: Annotated[
        str, typer.Option(envvar="COLDAISLE_TOKEN", help="Token of the page; default: a new one.")
    ] = "",
) -> None:
    """Serve a page on 127.0.0.1 that shows runs while they are made, finished ones, and campaigns."""
    if run is not None and runs is not None:
        raise InputError("--runs", "name a run or a folder of runs, not both", str(runs))
    try:
        from coldaisle_desk import serve as serving  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            "coldaisle desk", f"it needs more packages ({error}): pip install 'coldaisle[desk]'"
        ) from error
    from coldaisle_testbed.holding import is_held  # noqa: PLC0415
    from coldaisle_testbed.player import ScenarioPlayer  # noqa: PLC0415

    shelf = serving.shelf_of(run, runs or RUNS, is_held)
    if allow_play and run is not None:
        raise InputError("--allow-play", "runs are made in a folder of runs: leave out RUN", str(run))
    player = ScenarioPlayer(HOUSE / "scenarios", serving.NICE) if allow_play else None
    try:
        serving.serve(shelf, port, token, say, player)
    finally:
        if player is not None:
            player.close()


@command(app, "coldaisle sbom > checkout.cdx.json", "coldaisle sbom runs/latest --out run.cdx.json")
def sbom(
    run: Annotated[
        Path | None,
        typer.Argument(help="Folder of a finished run; default: this checkout as it is installed."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File it is written to; default: standard output.")] = None,
) -> None:
    """Write a software bill of materials (CycloneDX): packages with versions, licences and hashes."""
    refuse_sealed(out)
    from coldaisle_testbed import bom  # noqa: PLC0415

    text = bom.of_checkout() if run is None else bom.of_run(run)
    if out is None:
        typer.echo(text, nl=False)
        return
    with texts.writable("--out", "name another file", str(out)):
        out.write_text(text, encoding="utf-8")


@command(app, "coldaisle doctor", "coldaisle doctor scenarios/week.toml")
def doctor(
    scenario: Annotated[
        Path | None, typer.Argument(help="Scenario or site file that is to be played; default: four units.")
    ] = None,
    port: Annotated[
        int, typer.Option(envvar="COLDAISLE_PORT", help="Port of JupyterLab in containers.")
    ] = 8888,
    desk_port: Annotated[
        int, typer.Option(envvar="COLDAISLE_DESK_PORT", help="Port of the desk in containers.")
    ] = 8899,
    alarms_port: Annotated[
        int, typer.Option(envvar="COLDAISLE_ALARMS_PORT", help="Port of the alarms in containers.")
    ] = 1884,
    as_json: AsJson = False,
) -> None:
    """Report what this machine can and cannot do, with a remedy for each problem."""
    from coldaisle_contracts.scenario import load_scenario  # noqa: PLC0415
    from coldaisle_testbed import doctor as examination  # noqa: PLC0415
    from coldaisle_testbed.show import listings  # noqa: PLC0415

    units = len(load_scenario(scenario or HOUSE / "scenarios" / "week.toml").units)
    checks = examination.checks(units=units, notebook_port=port, desk_port=desk_port, alarms_port=alarms_port)
    if as_json:
        json_output.write({"checks": [asdict(check) for check in checks]})
    else:
        Console().print(listings.of_checks(checks))

"""The commands of a campaign."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coldaisle_contracts.analyses import refuse_sealed
from coldaisle_contracts.campaign import Size
from coldaisle_testbed import json_output
from coldaisle_testbed.commands import RUNS, AsJson, LabelsOption, command, say
from coldaisle_testbed.progress import Progress

campaign_app = typer.Typer(help="Play, watch and analyse many weeks.", no_args_is_help=True)
FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a campaign.")]


@command(
    campaign_app,
    "coldaisle campaign run campaigns/demo.toml",
    "coldaisle campaign run campaigns/demo.toml --out /data/demo --workers 2",
    "coldaisle campaign run campaigns/demo.toml --out /data/demo --scheduler tcp://127.0.0.1:8786",
)
def run(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File of the campaign, or its folder to go on with it.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the campaign; default: runs/campaign-<name>.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Weeks at the same time; default: what processors and memory take."),
    ] = None,
    size: Annotated[
        Size, typer.Option(help="Part to play: S lies in M, and M in L, which is all of it.")
    ] = "L",
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler whose workers play (extra dask): tcp://HOST:PORT, tls://HOST:PORT, or local to start one."
        ),
    ] = None,
) -> None:
    """Play the weeks of a campaign that are missing; the same command again goes on after any interruption."""
    from coldaisle_testbed.campaign import run as running  # noqa: PLC0415

    say(*running.run(file, out, RUNS, workers, size, scheduler))


@command(
    campaign_app,
    "coldaisle campaign status runs/campaign-demo",
    "coldaisle campaign status runs/campaign-demo --json | jq .missing",
    "coldaisle campaign status runs/campaign-demo --commands | xargs -P 2 -L 1 env -C runs/campaign-demo",
)
def status(
    folder: FolderArgument,
    as_json: AsJson = False,
    commands: Annotated[
        bool, typer.Option("--commands", help="Print the command line of each week that is to be played.")
    ] = False,
) -> None:
    """Show how many weeks of a campaign are done, running, failed and missing, by scenario and role."""
    from coldaisle_contracts.campaign import CampaignFolder  # noqa: PLC0415
    from coldaisle_testbed.campaign import state  # noqa: PLC0415

    campaign = CampaignFolder(folder)
    if commands:
        say(*state.commands(campaign))
    elif as_json:
        json_output.write(state.facts(campaign))
    else:
        Console().print(*state.shown(campaign), sep="\n", highlight=False)


@command(
    campaign_app,
    "coldaisle campaign export runs/campaign-demo",
    "coldaisle campaign export runs/campaign-demo --size S --out /data/demo-small",
)
def export(
    folder: FolderArgument,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the data set; default: export/<name>-<size> in the campaign."),
    ] = None,
    size: Annotated[
        Size, typer.Option(help="Part to export: S (at most 100 MB), M or L, which is all of it.")
    ] = "L",
) -> None:
    """Write the weeks that were played as one data set to publish: Parquet, a frozen split, descriptions, a scorecard."""
    refuse_sealed(out)
    from coldaisle_analysis.weeks import export as exporting  # noqa: PLC0415

    say(*exporting.export(folder, size, out, Progress()).sentences())


@command(
    campaign_app,
    "coldaisle campaign analyse runs/campaign-demo",
    "coldaisle campaign analyse /data/demo --size S --out results",
    "coldaisle campaign analyse /data/demo --against dad/*.pcap --labels dad/*labels.csv --utc-offset 7200",
)
def analyse(
    folder: FolderArgument,
    size: Annotated[
        Size, typer.Option(help="Part to use: S lies in M, and M in L, which is all of it.")
    ] = "L",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; default: a new one in the campaign.")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled captures to test on and to learn from, one per day; repeat it."),
    ] = None,
    labels: LabelsOption = None,
    utc_offset: Annotated[
        int, typer.Option(min=-43_200, max=50_400, help="Offset of their local time from UTC, in s.")
    ] = 0,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler whose workers fit models (extra dask): tcp://HOST:PORT, tls://HOST:PORT, or local."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn on the training weeks, set thresholds on the validation weeks, and test once on the test weeks."""
    from coldaisle_testbed.campaign import analysing  # noqa: PLC0415

    captures = analysing.captures_of(against, labels, utc_offset)
    analysed = analysing.analyse(folder, size, out, captures, scheduler)
    if as_json:
        json_output.write(analysed.facts())
    else:
        say(*analysed.lines())

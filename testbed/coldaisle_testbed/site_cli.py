"""The commands of a site."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coldaisle_contracts.analyses import refuse_sealed
from coldaisle_contracts.site_parameters import load_site
from coldaisle_testbed import json_output
from coldaisle_testbed.commands import (
    AsJson,
    PortOption,
    VersionOption,
    ZoneOption,
    command,
    mqtt_options,
    say,
)
from coldaisle_testbed.progress import Progress

site_app = typer.Typer(
    help="Check a site, show what stands in it, or make one from a capture.", no_args_is_help=True
)
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Site file.")]


@command(
    site_app,
    "coldaisle site check sites/examples/hundred.toml",
    "coldaisle site check my-site.toml --json | jq .units",
)
def check(file: FileArgument, as_json: AsJson = False) -> None:
    """Check a site file: print what it has, or one sentence that says what is wrong."""
    from coldaisle_testbed.show import sites  # noqa: PLC0415

    site = load_site(file)
    if as_json:
        json_output.write(sites.facts(site))
    else:
        say(f"{file}: {sites.sentence(site)}")


@command(
    site_app,
    "coldaisle site show sites/inrow.toml",
    "coldaisle site show sites/examples/hundred.toml --svg hundred.svg",
)
def show(
    file: FileArgument,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file too.")] = None,
) -> None:
    """Show the hosts of a site: names, addresses, client ids and usual temperatures."""
    from coldaisle_testbed.show import site_picture, sites  # noqa: PLC0415

    refuse_sealed(svg, "--svg")
    site, console = load_site(file), Console()
    if svg is not None:
        site_picture.write(site, file.stem, svg)
    console.print(
        f"[bold]{file.stem}[/]: {sites.sentence(site)}", sites.table(site), sep="\n", highlight=False
    )


@command(
    site_app,
    "coldaisle site from monday.pcap --out my-site.toml",
    "coldaisle site from captures/*.pcap --time-zone Europe/Madrid > my-site.toml",
    name="from",
)
def from_captures(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="CAPTURE...", help="Captures of normal operation, in order of time."),
    ],
    out: Annotated[Path | None, typer.Option(help="TOML file a scenario can name as its site.")] = None,
    time_zone: ZoneOption = "UTC",
    port: PortOption = None,
    mqtt_version: VersionOption = None,
) -> None:
    """Make a site from captures: the units that report in them, and the fitted parameters of their model."""
    refuse_sealed(out)
    from coldaisle_analysis.fitting import site_from  # noqa: PLC0415

    site_from.run(files, out, Progress(), time_zone, mqtt_options(port, mqtt_version))

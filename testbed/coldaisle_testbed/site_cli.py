"""The commands of a site."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coldaisle_contracts.analyses import refuse_sealed
from coldaisle_contracts.site_parameters import load_site
from coldaisle_testbed import json_output
from coldaisle_testbed.commands import AsJson, command, say

site_app = typer.Typer(help="Check a site, or show what stands in it.", no_args_is_help=True)
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

"""What the modules of commands share: options, and the printing of lines."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from coldaisle_contracts.addressing import MQTT_PORT
from coldaisle_contracts.errors import plain

if TYPE_CHECKING:
    from coldaisle_analysis.decoding import MqttOptions

HOUSE = Path(__file__).resolve().parents[2]
RUNS = Path("runs")
LONGEST_LINE = 100_000
"""Greatest length of a printed line, in characters; alarms and sentences of `verify` are shorter."""

PolicyName = Annotated[
    str, typer.Option("--policy", help="When to alarm: 'best F1', '1 a day', '1 a week' or 'early'.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead, for scripts.")]
LabelsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Labels of captures: a table each, CAPTURE=CLASS, rules (CSV) or the pcapng; repeat it."
    ),
]
SeriesOption = Annotated[
    list[str] | None,
    typer.Option(help="Series of captures to read, such as '*#temperature'; repeat it. Default: all."),
]
PortOption = Annotated[
    list[int] | None,
    typer.Option("--port", min=1, max=65_535, help="TCP port of MQTT; repeat it. Default: 1883."),
]
VersionOption = Annotated[
    str | None,
    typer.Option(
        "--mqtt-version",
        help="Version of MQTT where no CONNECT is captured: 3.1, 3.1.1 or 5. Default: as shown.",
    ),
]
ZoneOption = Annotated[str, typer.Option("--time-zone", help="IANA zone of the site, for its daily season.")]


def mqtt_options(ports: list[int] | None, version: str | None) -> "MqttOptions":
    """Return the options of commands that read captures."""
    from coldaisle_analysis.decoding.options import MqttOptions, level_of  # noqa: PLC0415

    return MqttOptions(tuple(ports or [MQTT_PORT]), level_of(version))


def say(*lines: str) -> None:
    """Print lines on standard output; names in them are not read as markup, and characters that are not printable are escaped."""
    console = Console()
    for line in lines:
        console.print(plain(line, LONGEST_LINE), markup=False, highlight=False, emoji=False, soft_wrap=True)


def command(
    group: typer.Typer, *examples: str, name: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds a function to an application or a group of commands, with examples of its use."""
    epilog = "[bold]Examples[/]\n\n" + "\n\n".join(f"  {line}" for line in examples)
    return group.command(name, epilog=epilog)

"""The style of the figures: one palette, one matplotlib style, and inline SVG whose text is text."""

import io
import re
from collections.abc import Callable
from colorsys import hsv_to_rgb
from functools import wraps
from html import escape
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coldaisle_analysis.report.separation import NORMAL, PASSED
from coldaisle_contracts.kinds import KINDS, SHIPPED

Parameters = ParamSpec("Parameters")

INK, QUIET, HAIR = "#22303c", "#667784", "#d9e0e6"
DAY_COLOUR, RANDOM_COLOUR = "#1f6f8b", "#c9a227"
DASHED = (0, (4, 3))

_KIND_COLOURS = {
    NORMAL: "#9fb0bd",
    PASSED: "#c5cfd7",
    "interception": "#3b7dd8",
    "modification": "#d99a00",
    "removal": "#c8442f",
    "duplication": "#7a4fb5",
}
_FAMILIES: dict[str, tuple[str, float, float]] = {
    "on the path": ("#3b7dd8", 0.50, 0.14),
    "rogue client": ("#b0417f", 0.83, 0.10),
    "denial of service": ("#c8442f", 0.96, 0.09),
    "reconnaissance and time": ("#d99a00", 0.12, 0.06),
    "benign": ("#7fae84", 0.29, 0.12),
}
"""The colour of each family, and where on the colour wheel the colours of its kinds start, and their range."""
_COLOURS = _KIND_COLOURS | {family: colour for family, (colour, _, _) in _FAMILIES.items()}
FEW = 8
"""The largest number of kinds that a figure shows one by one; with more kinds it shows their families."""
_OTHER_COLOURS = ("#c8442f", "#2f8f6b", "#8a5a2b", "#b0417f")
SENSOR_COLOURS = {1: "#5aa9e0", 2: "#1f5f8b", 3: "#5f9e77", 4: "#b0654a"}

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": HAIR,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "path.simplify_threshold": 0.3,
}


def kind_colour(kind: str) -> str:
    """Return the colour of a kind of traffic, the same in every figure."""
    if kind in _COLOURS:
        return _COLOURS[kind]
    if kind in KINDS:
        return _shade(kind)
    return _OTHER_COLOURS[sum(kind.encode()) % len(_OTHER_COLOURS)]


def _shade(kind: str) -> str:
    """Return a kind's shade of its family's colour; benign ones are pale. Kinds of other packages change no shade of ours."""
    family = KINDS[kind].family
    kin = [name for name, row in SHIPPED.items() if row.family == family]
    place = [*kin, *KINDS.origins()].index(kind)
    _, start, reach = _FAMILIES[family]
    hue, strength = (start + reach * place / len(kin)) % 1.0, 0.32 if family == "benign" else 0.68
    return to_hex(hsv_to_rgb(hue, strength, 0.86 - 0.34 * (place * 0.37 % 1)))


def in_order(kinds: set[str]) -> list[str]:
    """Return kinds of traffic in the order of every figure: normal, the kinds of the taxonomy, others."""
    order = [NORMAL, PASSED, *KINDS, *_FAMILIES]
    return sorted(kinds, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))


def grouped(kind: pd.Series) -> pd.Series:
    """Return the kinds themselves if they are at most :data:`FEW`, else their families."""
    kinds = set(kind.astype(str).unique()) - {NORMAL, PASSED}
    if len(kinds) <= FEW:
        return kind.astype(str)
    return kind.astype(str).map(lambda name: KINDS[name].family if name in KINDS else name)


def styled(draw: Callable[Parameters, str]) -> Callable[Parameters, str]:
    """Return the function, changed to draw in the style of the report; the caller's settings, such as a notebook's, are restored."""

    @wraps(draw)
    def in_style(*args: Parameters.args, **kwargs: Parameters.kwargs) -> str:
        with mpl.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return in_style


def canvas(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure 10.4 inches wide and its axes in reading order."""
    figure = Figure(figsize=(10.4, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.flat)


def grid(axes: Axes, which: str = "y") -> None:
    """Draw hairlines behind the data."""
    axes.grid(axis=which, color=HAIR, linewidth=0.7)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def entry(label: str, colour: str, **look: Any) -> Line2D:
    """Return a line for a legend."""
    return Line2D([], [], color=colour, label=label, **look)


def inline_svg(figure: Figure, name: str, alternative: str) -> str:
    """Return a figure as SVG to stand inside HTML.

    Args:
        figure: the figure.
        name: unique in the page; it salts the ids, so that no two figures share an id.
        alternative: the alternative text for readers who cannot see it.
    """
    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        writer = _lay_out(figure)
        writer.print_svg(  # type: ignore[no-untyped-call]
            text, metadata={"Date": None, "Creator": None, "Type": None, "Format": None}
        )
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else "", svg)
    svg = re.sub(r"(\d+\.\d{2})\d+", r"\1", svg)
    svg = re.sub(r"font: ([^;\"]*?)'?DejaVu Sans'?[^;\"]*", r"font: \1system-ui, sans-serif", svg)
    head = f'<svg role="img" aria-label="{escape(alternative, quote=True)}" '
    box = re.findall(r'viewBox="[^"]+"', svg)[0]
    body = svg[svg.index(">") + 1 :]
    return f'{head}{box} xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{body}'


def _lay_out(figure: Figure) -> FigureCanvasSVG:
    """Give everything its place and return what writes the figure; to find the places ``savefig`` would draw it once more."""
    canvas = FigureCanvasSVG(figure)  # it measures text as SVG does
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
    return canvas


def heats(tables: dict[str, pd.DataFrame], colours: str, limits: tuple[float, float]) -> Figure:
    """Return a figure of tables of shares by title, whose columns are kinds.

    The tables stand side by side if the kinds are few. With many kinds they stand one below the other, with one row per kind.
    """
    panels = list(tables.values())
    if max((len(table.columns) for table in panels), default=0) <= FEW:
        figure, axes = canvas(1, len(tables), 4.4)
    else:
        panels = [table.T for table in panels]
        heights = [1.4 + 0.21 * len(table) for table in panels]
        figure, axes = canvas(len(tables), 1, sum(heights), height_ratios=heights)
    for ax, table, title in zip(axes, panels, tables, strict=True):
        heat(ax, table, colours, limits)
        ax.set_title(title)
    return figure


def heat(ax: Axes, table: pd.DataFrame, colours: str, limits: tuple[float, float]) -> None:
    """Draw a table of shares as coloured cells with their numbers; many columns have slanted names and small numbers."""
    few = len(table.columns) <= FEW
    size, slope, align = (8.5, 0, "center") if few else (7.5, 40, "right")
    values = table.to_numpy(dtype=np.float64)
    least, most = limits
    ax.pcolormesh(values, cmap=colours, vmin=least, vmax=most, alpha=0.8, edgecolors="white", linewidth=1)
    ax.invert_yaxis()
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            middle = column + 0.5, row + 0.5
            cell = ax.text(*middle, f"{value:.2f}", ha="center", va="center", fontsize=size, color=INK)
            cell.set_in_layout(False)  # it lies within the axes: measuring thousands of cells takes a second
    names = [str(name) for name in table.columns]
    ax.set_xticks(np.arange(len(names)) + 0.5, names, rotation=slope, ha=align)
    ax.set_yticks(np.arange(len(table.index)) + 0.5, [str(name) for name in table.index])
    ax.spines[:].set_visible(False)

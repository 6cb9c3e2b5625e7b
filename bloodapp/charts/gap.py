"""The gap chart: how far a score on one's own images is from the score on changed ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, calm, rgba


@dataclass(frozen=True)
class Reported:
    """A system of the course as its report gives it.

    Attributes:
        system: the team.
        model: the network and what was done with it.
        own: accuracy on the team's own hold-out, in percent.
        hidden: accuracy on the course's hidden set, in percent.
        note: what the report leaves open, or empty.
    """

    system: str
    model: str
    own: float
    hidden: float
    note: str = ""


@dataclass(frozen=True)
class RunPoint:
    """A run of the user.

    Attributes:
        name: the run.
        clean: accuracy on clean images, 0..1.
        shifted: accuracy on the same images under the shifted draw, 0..1.
        n: number of images behind both.
        part: `test` or `val`.
        chosen: whether to stress it.
    """

    name: str
    clean: float
    shifted: float
    n: int = 0
    part: str = ""
    chosen: bool = False


REPORTED: tuple[Reported, ...] = (
    Reported("Hyper Parameters Guessers", "ConvNeXtBase", 93.27, 71),
    Reported("Hyper Parameters Guessers", "VGG16, contrast stretch", 90, 31, "'over 90' on its own hold-out"),
    Reported("Los Pinguinos", "CNN from scratch", 95.44, 21),
    Reported("FORmidable", "basic CNN", 89.89, 32),
    Reported("FORmidable", "MobileNetV2", 82.18, 68),
    Reported("FORmidable", "own MobileNetV3, light", 96.40, 77),
    Reported("FORmidable", "own MobileNetV3, heavy", 97.62, 80),
    Reported("FORmidable", "own MobileNetV3, heavy, weighted loss", 97.62, 69),
    Reported("FeedForward Force", "VGG-19", 98.75, 60),
    Reported("FeedForward Force", "ResNet101V2", 98.92, 59),
    Reported("FeedForward Force", "EfficientNetV2S", 99.04, 77),
    Reported("NeuralDropouts", "CNN on unclean data", 70, 14),
    Reported("NeuralDropouts", "VGG", 87, 49),
    Reported("NeuralDropouts", "ConvNeXtBase", 97, 85),
    Reported("NeuralDropouts", "ConvNeXtLarge", 98, 85),
    Reported("NeuralDropouts", "ConvNeXtXLarge, plain, frozen", 95, 74),
)
"""Every pair of own and hidden accuracy that the five reports of the course give."""


def gap_chart(
    reports: Sequence[Reported] = REPORTED, runs: Sequence[RunPoint] = (), *, height: int = 460
) -> go.Figure:
    """Draw accuracy on changed images over accuracy on one's own; the diagonal would be 'no gap'.

    The two kinds of points are different tests, and the legend says so. A line from the diagonal
    down to a run is its gap. Runs carry `customdata` (name,).
    """
    lowest_x = min([66.0, *(100 * run.clean - 4 for run in runs), *(point.own - 4 for point in reports)])
    lowest_y = min([10.0, *(100 * run.shifted - 4 for run in runs)])
    low = max(lowest_x, 0)
    figure = go.Figure()
    figure.add_scatter(
        x=[low, 100],
        y=[low, 100],
        mode="lines",
        line={"color": GREY, "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=[point.own for point in reports],
        y=[point.hidden for point in reports],
        name="reports: own hold-out → the course's hidden set",
        mode="markers",
        marker={"color": GREY, "size": 9, "opacity": 0.75},
        hovertext=[_report_text(point) for point in reports],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    for run in runs:
        figure.add_shape(
            type="line",
            x0=100 * run.clean,
            x1=100 * run.clean,
            y0=100 * run.clean,
            y1=100 * run.shifted,
            line={"color": rgba(ACCENT, 0.45), "width": 1.5},
            layer="below",
        )
    if runs:
        figure.add_scatter(
            x=[100 * run.clean for run in runs],
            y=[100 * run.shifted for run in runs],
            name="your runs: clean → our shifted draw; not the same test",
            mode="markers+text",
            text=[_label(run.name) if run.chosen or len(runs) <= 3 else "" for run in runs],
            textposition="middle left",
            textfont={"color": ACCENT, "size": 12},
            marker={
                "color": ACCENT,
                "size": [15 if run.chosen else 11 for run in runs],
                "line": {"width": 0},
            },
            customdata=[[run.name] for run in runs],
            hovertext=[_run_text(run) for run in runs],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    calm(figure, height, t=64)
    figure.update_layout(
        hovermode="closest", legend={"orientation": "v", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    figure.update_xaxes(
        title={"text": "accuracy on one's own clean images", "standoff": 8},
        range=[low, 101],
        ticksuffix=" %",
        nticks=6,
    )
    figure.update_yaxes(
        title={"text": "accuracy on images that changed", "standoff": 8},
        range=[max(lowest_y, 0), 103],
        ticksuffix=" %",
        showgrid=True,
        gridcolor=LINE,
        nticks=6,
    )
    figure.add_annotation(
        x=low + 0.25 * (100 - low),
        y=low + 0.25 * (100 - low),
        text="no gap",
        showarrow=False,
        yshift=12,
        font={"size": 12, "color": GREY},
    )
    return figure


def _report_text(point: Reported) -> str:
    lines = [
        f"<b>{point.system}</b>",
        point.model,
        f"own {point.own:g} %, hidden {point.hidden:g} %",
    ]
    return "<br>".join([*lines, point.note] if point.note else lines)


def _run_text(run: RunPoint) -> str:
    where = f"{run.n:,} images of the {run.part} part" if run.n and run.part else ""
    lines = [f"<b>{run.name}</b>", f"clean {100 * run.clean:.1f} %, shifted {100 * run.shifted:.1f} %"]
    return "<br>".join([*lines, where] if where else lines)


def _label(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"

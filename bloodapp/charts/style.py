"""The common look of all charts: transparent, few lines, the class colours."""

from typing import Any

import plotly.graph_objects as go

ACCENT = "#7C5CE6"
"""Colour of a figure that is about no class: clean scores, the matrix, training curves."""

SHIFTED = "#E8833A"
"""Colour of everything judged on changed images."""

GREY = "#8A94A0"
"""Colour of what is only there for comparison; reads on light and on dark."""

RUNS = ("#4C6EF5", "#F76707", "#12A87B", "#AE3EC9", "#E8A700", "#E03131", "#1C9FC4", "#7B8794")
"""Colours of runs that are laid over each other, in their order; read on light and on dark."""

LINE = "rgba(138, 148, 160, 0.28)"
"""Colour of axes and of the few lines that guide the eye."""

CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}
"""Options for showing a figure: no toolbar, no zoom on scrolling past."""


def rgba(colour: str, alpha: float) -> str:
    """`#rrggbb` with an opacity of 0 to 1, as CSS."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha:.3f})"


def percent(value: float, digits: int = 1) -> str:
    """A share as text, `97.3 %`; a dash when it is not known."""
    return "-" if value != value else f"{100 * value:.{digits}f} %"


def calm(figure: go.Figure, height: int, **margin: int) -> go.Figure:
    """Give a figure the common look; `margin` may override l, r, t, b in pixels."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8, **margin},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
        hoverlabel={"align": "left"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
    )
    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
        "linecolor": LINE,
        "gridcolor": LINE,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure

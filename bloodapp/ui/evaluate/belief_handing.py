"""Handing the least sure images to a person: how many, for how much, clean and under the shift."""

from html import escape

import streamlit as st

from bloodapp.charts.belief import rejection_chart
from bloodapp.charts.style import CONFIG
from bloodapp.evaluate.rejection import Kept, bar_for, keep
from bloodapp.runs.calibration import PART
from bloodapp.ui import frame, state
from bloodapp.ui.evaluate.belief_reading import Belief, read
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.text import percent, unbroken

FILTERS: tuple[str, ...] = ("goal",)
"""Names in the address that these choices are kept under."""

GOALS = (90.0, 95.0, 97.0, 98.0, 98.5, 99.0, 99.5, 99.8, 99.9)
"""Shares right, in percent, that may be asked of the images that are kept."""

_USUAL = 99.0
_BOX = "belief-goal"


@st.fragment
def draw(reading: Reading) -> None:
    """The goal and what it costs."""
    belief = read(reading)
    frame.section(
        "What to hand to a person", "The less sure an image, the sooner somebody should look at it."
    )
    goal = _goal()
    bar = bar_for(belief.own_curve, goal)
    kept = {name: keep(curve, bar) for name, curve in belief.curves.items()}
    st.html(f'<p class="belief-said">{unbroken(_said(reading, belief, goal, kept))}</p>')
    left, right = frame.columns("rejection", [1, 1])
    with left:
        drawn = {name: (curve.handed_over, curve.accuracy) for name, curve in belief.curves.items()}
        marks = [(one.handed_over, one.accuracy.value) for one in kept.values()]
        st.plotly_chart(
            rejection_chart(drawn["clean"], drawn.get("shifted"), goal=goal, marks=marks),
            key="belief-rejection",
            config=CONFIG,
            alt="Share right of the images kept over the share handed to a person, clean and shifted",
        )
    with right:
        st.html(_table(belief, goal, kept))
        st.html(
            '<p class="quiet">Mean risk: the share of mistakes among what is kept, averaged over all shares kept '
            "(AURC, Geifman and El-Yaniv 2017); lower is better. The last column looks at the very images that it "
            "judges, so it is the least that can be hoped for.</p>"
        )


def _goal() -> float:
    """The share right that is asked for, kept in the address."""
    names = {f"{goal:g}": goal for goal in GOALS}
    kept = str(state.get("goal") or "")
    current = kept if kept in names else f"{_USUAL:g}"
    st.select_slider(
        "Right, of what it keeps",
        list(names),
        state.show(_BOX, current),
        format_func=lambda name: f"{name} %",
        key=_BOX,
        width=320,
        on_change=lambda: state.put("goal", st.session_state[_BOX]),
    )
    return names[current] / 100


def _said(reading: Reading, belief: Belief, goal: float, kept: dict[str, Kept]) -> str:
    """What the goal takes and whether it is reached, as HTML."""
    clean = kept["clean"]
    own = belief.calibration is None or reading.part == PART
    if not clean.kept:
        return f"There is no bar on the confidence that leaves {100 * goal:g} % right: it would hand over every image."
    where = "read off these same images" if own else "found on the validation images"
    text = (
        f"To be right in {100 * goal:g} % of what it keeps, it hands over all answers below {percent(clean.bar)} "
        f"(a bar {where}): <b>{percent(clean.handed_over)}</b> of the images, and is right in "
        f"<b>{_accuracy(clean)}</b> of the rest."
    )
    if hard := kept.get("shifted"):
        text += (
            f" Under the shift the same bar hands over <b>{percent(hard.handed_over)}</b> and leaves "
            f"<b>{percent(hard.accuracy.value) if hard.kept else 'nothing'}</b> right"
        )
        text += (
            ": its confidence does not tell there what it does not know."
            if hard.kept and hard.accuracy.high < goal
            else "."
        )
    return text


def _accuracy(one: Kept) -> str:
    low, high = 100 * one.accuracy.low, 100 * one.accuracy.high
    return f"{percent(one.accuracy.value)}</b> (95 %: {low:.1f} to {high:.1f})<b>"


def _table(belief: Belief, goal: float, kept: dict[str, Kept]) -> str:
    heads = (
        "",
        "handed over",
        "right of the rest",
        "right of all",
        "mean risk",
        f"{100 * goal:g} % would take",
    )
    rows = []
    for name, one in kept.items():
        curve = belief.curves[name]
        best = keep(curve, bar_for(curve, goal))
        low, high = 100 * one.accuracy.low, 100 * one.accuracy.high
        rest = f"{percent(one.accuracy.value)}<small>{low:.1f} to {high:.1f}</small>" if one.kept else "–"
        cells = [
            f"<td>{name.capitalize()}</td>",
            f"<td>{percent(one.handed_over)}</td>",
            f"<td>{rest}</td>",
            f"<td>{percent(float(curve.accuracy[-1]))}</td>",
            f"<td>{100 * curve.area:.2f} %</td>",
            f"<td>{percent(best.handed_over) if best.kept else 'all of them'}</td>",
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="figures belief"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )

"""Can the probabilities be believed: as the network says and calibrated; then sets of classes, and handing over."""

from html import escape
from pathlib import Path

import streamlit as st

from bloodapp.charts.belief import Points, reliability_chart
from bloodapp.charts.style import CONFIG
from bloodapp.evaluate import calibration
from bloodapp.evaluate.calibration import Reliability, Scores
from bloodapp.evaluate.metrics import Interval
from bloodapp.runs.calibration import PART
from bloodapp.ui import css, frame
from bloodapp.ui.evaluate import belief_handing, belief_sets
from bloodapp.ui.evaluate.belief_reading import Belief, read
from bloodapp.ui.evaluate.reading import Reading, choose
from bloodapp.ui.text import count, unbroken

FILTERS: tuple[str, ...] = ("bins", *belief_sets.FILTERS, *belief_handing.FILTERS)
"""Names in the address that this view keeps its choices under."""

STYLE = Path(__file__).with_name("belief.css")

_BINS = {"width": "Equal steps", "count": "Equal counts"}
_FAR = 0.05
"""Calibration error above which probabilities are of no use."""

_NAMES = {"clean": "Clean", "shifted": "Shifted"}


def draw(reading: Reading) -> None:
    """Draw the view."""
    css.style(STYLE)
    _reliability(reading)
    belief_sets.draw(reading)
    belief_handing.draw(reading)


@st.fragment
def _reliability(reading: Reading) -> None:
    belief = read(reading)
    st.html(f'<p class="belief-lead">{unbroken(escape(lead(belief)))}</p>')
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        frame.section(
            "Does it mean what it says?",
            "Images by how sure it is of them, and how many of these it has right.",
        )
        equal_mass = choose("bins", _BINS, "How images are put together") == "count"
    columns = frame.columns("reliability", [1] * len(belief.said))
    for column, (name, table) in zip(columns, belief.said.items(), strict=True):
        before = calibration.reliability(belief.labels, table, equal_mass=equal_mass)
        after = None
        if belief.calibration:
            after = calibration.reliability(belief.labels, belief.calibrated[name], equal_mass=equal_mass)
        with column:
            images = count(len(belief.labels), "image")
            images += "; a tenth of them in each point" if equal_mass else "; bars: how many in each step"
            st.html(f'<div class="belief-title"><b>{_NAMES[name]}</b><span>{images}</span></div>')
            st.plotly_chart(
                reliability_chart(
                    _drawn(before),
                    _drawn(after) if after else None,
                    under_shift=name == "shifted",
                    bars=not equal_mass,
                ),
                key=f"belief-reliability-{name}",
                config=CONFIG,
                alt=f"Share right over confidence, {name} images, as the network says and calibrated",
            )
    st.html(_table(belief))
    st.html(f'<p class="belief-said">{unbroken(escape(_about(reading, belief)))}</p>')
    with st.expander("What the figures say"):
        chance = belief.scores["clean", belief.calibration is not None].chance
        st.html(_EXPLAINED.format(images=count(len(belief.labels), "image"), chance=f"{100 * chance:.1f}"))


def lead(belief: Belief) -> str:
    """What a confidence is worth, in a sentence or two: as Classify shows it."""
    tables = belief.calibrated
    text = calibration.headline(belief.labels, tables["clean"], tables.get("shifted"))
    if "shifted" not in tables:
        return text
    hard = belief.scores["shifted", belief.calibration is not None]
    gap = hard.confidence.value - hard.accuracy.value
    if gap > 0.02 and hard.confidence.low > hard.accuracy.high:
        return (
            f"{text} On images from elsewhere do not believe it: there it is {100 * gap:.0f} points too sure."
        )
    return text


def _about(reading: Reading, belief: Belief) -> str:
    """What was fitted, what for, and what it does not do."""
    found = belief.calibration
    if found is None:
        return f"Not calibrated. {belief.why_not} Classify shows the probabilities as the network gives them."
    was = "about right"
    if not 0.97 <= found.temperature <= 1.03:
        was = "too sure of itself" if found.temperature > 1 else "too careful"
    whose = "validation images, of each what the network said that had not seen it"
    images = whose if reading.run.series == "folds" else "validation images"
    text = (
        f"Calibrated: one temperature, {found.temperature:.2f} (the network was {was}), fitted on {found.n:,} {images} "
        "and stored with the run. It changes no answer, only how sure it is; Classify and the CSV of predict use it."
    )
    if reading.part == PART:
        text += " These are the images that it was fitted on: the test part judges it more fairly."
    if ("shifted", True) in belief.scores:
        before, after = (belief.scores["shifted", one].ece for one in (False, True))
        if after.value > before.high:
            text += " It fits images like those alone: under the shift it makes the probabilities worse."
        elif after.low > _FAR:
            text += f" It fits images like those alone: under the shift the error stays at {100 * after.value:.0f} %."
        elif after.value < before.low:
            text += " Under the shift it helps as well."
    return text


def _table(belief: Belief) -> str:
    heads = ("", "says, on average", "is right", "calibration error (ECE)", "Brier score", "log loss")
    rows = []
    for name in belief.said:
        for after in (False, True):
            if (name, after) not in belief.scores:
                continue
            what = "calibrated" if after else "as the network says"
            one = belief.scores[name, after]
            title = _NAMES[name] if not after else ""
            rows.append(
                f"<tr{' class=second' if after else ''}><td>{title}<small>{what}</small></td>{_figures(one)}</tr>"
            )
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="figures belief"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figures(one: Scores) -> str:
    cells = [_cell(one.confidence, 100, 1, " %"), _cell(one.accuracy, 100, 1, " %")]
    cells += [_cell(one.ece, 100, 1, " %"), _cell(one.brier, 1, 3), _cell(one.nll, 1, 3)]
    return "".join(cells)


def _cell(figure: Interval, times: float, digits: int, unit: str = "") -> str:
    if figure.value != figure.value:
        return "<td>–</td>"
    value, low, high = (f"{times * number:.{digits}f}" for number in (figure.value, figure.low, figure.high))
    return f"<td>{value}{unit}<small>{low} to {high}</small></td>"


def _drawn(found: Reliability) -> Points:
    return Points(found.confidence, found.right, found.count)


_EXPLAINED = """\
<div class="quiet"><p><b>Calibration error (ECE)</b>: how far confidence and share right lie apart on average,
over 15 steps of equal width (Naeini 2015, Guo 2017). Chance alone makes it larger than nought: probabilities
without fault would show about {chance} % on {images}. Where its interval reaches 0, these may be without fault.</p>
<p><b>Brier score</b>: mean squared distance of all probabilities from the truth, 0 to 2. <b>Log loss</b>: how
surprised the probabilities are by the truth, in nats; one sure mistake costs much. Of both, lower is better,
and both reward right answers as well as honest confidence.</p>
<p><b>Temperature</b>: the network's log-probabilities are divided by one number, the one that makes the log
loss of the validation images smallest (Guo 2017). Small figures: 95 % intervals. Points of the charts: 95 %
intervals after Wilson; the bars' heights are square roots, so that small steps can be seen.</p></div>"""

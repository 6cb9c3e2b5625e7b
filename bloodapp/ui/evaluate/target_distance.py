"""How far a drop lies from the training images: the verdict, every measure side by side, one of them in full."""

from html import escape

import streamlit as st

from bloodapp.charts.style import CONFIG
from bloodapp.charts.target import Row, distance_chart, spread_chart
from bloodapp.evaluate import target_words
from bloodapp.evaluate.target import Target
from bloodapp.evaluate.target_cover import ends
from bloodapp.evaluate.target_distance import Gap
from bloodapp.evaluate.target_measures import FEATURES, MEASURES, Measure
from bloodapp.jobs.job import Job
from bloodapp.ui import frame, state
from bloodapp.ui.evaluate.images import not_here
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.text import count

_CHART = "target-distances"


def draw(reading: Reading, job: Job, found: Target) -> None:
    """Draw the verdict, the chart of all measures, and the chosen one."""
    del job
    if not comparable(reading, found):
        return
    gaps = found.gaps
    _verdict(found, gaps)
    chosen = str(state.get("measure"))
    chosen = chosen if chosen in [each.key for each in gaps] else next(iter(found.moved), gaps[0].key)
    left, right = frame.columns("target", [3, 2])
    with left:
        rows = [_row(each) for each in gaps]
        st.plotly_chart(
            distance_chart(rows, chosen=chosen),
            key=_CHART,
            config=CONFIG,
            on_select=_keep,
            selection_mode="points",
            alt="Each measure of the training images and of yours, and how far apart they are",
        )
    with right:
        _one(found, next(each for each in gaps if each.key == chosen), gaps)
    st.html(
        '<p class="quiet">Thick: the middle half of the images; thin: 95 %; the mark: the median. At the right: '
        "how far the images would have to be moved to lie like the training images (Wasserstein distance), 1 = the "
        "width of the training’s middle half. In colour and bold what is more than chance brings.</p>"
    )


def comparable(reading: Reading, found: Target) -> bool:
    """Whether the drop was laid beside the training images; says so where not."""
    if target_words.few(found.content):
        too_few()
        return False
    if found.content["training"] is None:
        not_here(reading)
        return False
    return True


def too_few() -> None:
    """Say that nothing can be said of so few images, and how many it takes."""
    frame.section("Too few images", "nothing is said of the microscope")
    st.html(
        f'<p class="lead">{escape(target_words.TOO_FEW)}</p>'
        '<p class="quiet">What the run says of these, and which of them to label first, is told all the same.</p>'
    )


def _verdict(found: Target, gaps: list[Gap]) -> None:
    distance = found.content["distance"]
    score = ""
    if distance["auc"] is not None:
        low, high = 100 * distance["low"], 100 * distance["high"]
        score = (
            '<div class="score"><span>told apart from the training images</span>'
            f"<b>{100 * distance['auc']:.0f}<em>of 100</em></b>"
            f"<small>95 %: {low:.0f} to {high:.0f}; guessing is 50</small></div>"
        )
    words = f'<p class="lead">{escape(sentence(gaps))}</p>'
    words += "".join(f'<p class="quiet">{escape(line)}</p>' for line in _lines(found))
    st.html(
        f'<div class="verdict drop{"" if score else " wordy"}">{score}<div class="words">{words}</div></div>'
    )


def sentence(gaps: list[Gap]) -> str:
    """What moved, in one sentence, the farthest first."""
    moved = [each for each in gaps if each.moved and each.key in MEASURES]
    seen = any(each.moved and each.key == FEATURES.key for each in gaps)
    if not moved:
        said = "In light, focus, colour and stain these images lie where the training images do"
        return f"{said}, but the network sees a difference." if seen else f"{said}."
    names = [_towards(each) for each in moved[:3]]
    far = "far" if moved[0].level == "far" else "some way"
    first = f"These images lie {far} from the training images: they are {_listed(names)}."
    more = len(moved) - 3
    return first + (f" {count(more, 'other measure')} moved too." if more > 0 else "")


def _towards(gap: Gap) -> str:
    measure = MEASURES[gap.key]
    if gap.below and gap.above:
        return f"both {measure.less} and {measure.more}"
    return measure.less if gap.effect < 0 else measure.more


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _lines(found: Target) -> list[str]:
    distance, stain = found.content["distance"], found.content["stain"]
    lines = []
    if distance["auc"] is not None:
        reference = distance["reference_auc"]
        beside = f"; two parts of the training images: {100 * reference:.0f} of 100" if reference else ""
        lines.append(
            "Shown one training image and one of yours, a simple classifier that reads what the network’s layers say "
            f"picks yours in {100 * distance['auc']:.0f} of 100 cases{beside}."
        )
        if distance["reference_frechet"]:
            times = distance["frechet"] / distance["reference_frechet"]
            factor = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
            lines.append(
                f"Fréchet distance of what the network sees: {distance['frechet']:.3g}, {factor} times that of two "
                "parts of the training images."
            )
    if stain:
        lines.append(
            f"Colour of the dyes: azure B lies {stain['azure']:.0f}°, eosin {stain['eosin']:.0f}° from the training’s."
        )
    return lines


def _row(gap: Gap) -> Row:
    measure = _measure(gap.key)
    middle = gap.train[2]
    own, other = (tuple((value - middle) / gap.scale for value in side) for side in (gap.train, gap.target))
    hint = (
        f"<b>{measure.title}</b><br>training: {_value(gap.train[2], measure)}"
        f"<br>yours: {_value(gap.target[2], measure)}"
        f"<br>apart {gap.wasserstein:.2f}, by chance up to {gap.chance:.2f}"
    )
    return Row(measure.title, own, other, gap.wasserstein, gap.moved, hint, gap.key)


def _measure(key: str) -> Measure:
    return FEATURES if key == FEATURES.key else MEASURES[key]


def _value(value: float, measure: Measure) -> str:
    space = "" if measure.unit in ("°", "") else " "
    return f"{value:.3g}{space}{measure.unit}"


def _keep() -> None:
    points = st.session_state[_CHART]["selection"]["points"]
    if points and points[0].get("customdata"):
        state.put("measure", str(next(iter(points[0]["customdata"]))))


def _one(found: Target, gap: Gap, gaps: list[Gap]) -> None:
    """The distribution of one measure in both sets."""
    measure = _measure(gap.key)
    titles = {each.key: _measure(each.key).title for each in gaps}
    state.show("target-measure", gap.key)
    st.selectbox(
        "Measure",
        list(titles),
        key="target-measure",
        format_func=lambda key: titles.get(key, key),
        on_change=lambda: state.put("measure", st.session_state["target-measure"]),
    )
    train, target = found.column(gap.key)
    ranges = [("95 % of the training images", *ends(train))]
    covers = found.advised
    if gap.key in MEASURES and covers and gap.moved:
        best = covers[0]
        ranges.append((f"95 % under {best.candidate.title}", best.low[gap.key], best.high[gap.key]))
    st.plotly_chart(
        spread_chart(train, target, measure.unit, ranges),
        key="target-spread",
        config=CONFIG,
        alt=f"Distribution of {measure.title} in the training images and in yours",
    )
    st.html(
        f'<p class="quiet">{escape(measure.help)} Upwards the share of the images.'
        f" Median {escape(_value(gap.target[2], measure))}, in training "
        f"{escape(_value(gap.train[2], measure))}.</p>"
    )

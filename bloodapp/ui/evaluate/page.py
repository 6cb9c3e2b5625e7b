"""The Evaluate page: how good a run is, what it loses when images change, and where it is wrong.

Everything is read from the run's files; TensorFlow is not needed. Which part, which view and which
cell are on show is in the address.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import streamlit as st

from bloodapp.errors import BloodappError
from bloodapp.evaluate.evaluate import parts_of
from bloodapp.evaluate.metrics import Comparison, Interval
from bloodapp.evaluate.verdict import reads, sentence
from bloodapp.runs.run import Run
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.evaluate import belief, combine, compare, elsewhere, hold, images, plane, slices, target, why
from bloodapp.ui.evaluate import report as evaluate_report
from bloodapp.ui.evaluate import views as evaluate_views
from bloodapp.ui.evaluate.reading import PARTS, Reading, choose, read
from bloodapp.ui.frame import Here
from bloodapp.ui.text import count, percent


@dataclass(frozen=True)
class View:
    """One view of the page.

    Attributes:
        title: what it is called.
        draw: what draws it.
        filters: the names in the address that it keeps its choices under.
    """

    title: str
    draw: Callable[[Reading], None]
    filters: tuple[str, ...] = ()


VIEWS: dict[str, View] = {
    "confusion": View("Confusion", evaluate_views.confusion, ("matrix", "numbers", "order", "cell")),
    "classes": View("Classes", evaluate_views.classes),
    "slices": View("Slices", slices.draw, slices.FILTERS),
    "curves": View("Learning curves", lambda reading: evaluate_views.curves(reading.run)),
    "mistakes": View("Mistakes", images.mistakes, images.MISTAKES),
    "predictions": View("Predictions by class", images.predictions, images.PREDICTIONS),
    "hold": View("Corruptions", hold.draw, hold.FILTERS),
    "target": View("Your microscope", target.draw, target.FILTERS),
    "elsewhere": View("Other labelled images", elsewhere.draw),
    "belief": View("Probabilities", belief.draw, belief.FILTERS),
    "why": View("One image", why.draw, why.FILTERS),
    "map": View("All images", plane.draw, plane.FILTERS),
    "compare": View("Compare", compare.draw, compare.FILTERS),
    "combine": View("Combine", combine.draw, combine.FILTERS),
    "report": View("Report", evaluate_report.draw, evaluate_report.FILTERS),
}
"""The views of the page by their key in the address."""

QUESTIONS: dict[str, tuple[str, ...]] = {
    "How good?": ("confusion", "classes", "slices", "curves"),
    "Where wrong?": ("mistakes", "predictions"),
    "Will it hold?": ("hold", "target", "elsewhere"),
    "Can it be believed?": ("belief",),
    "Why?": ("why", "map"),
    "Against others": ("compare", "combine"),
    "Report": ("report",),
}
"""The questions that the page answers, in their order, and the views under each."""

INTRO = "How often the run is right on images it has not learned from, clean and shifted."

FILTERS = ("view", "part", *(name for view in VIEWS.values() for name in view.filters))


def draw(here: Here) -> None:
    """Draw the page, its heading included, for the run on show."""
    assert here.run is not None, "the frame stops without a run"
    state.register("evaluate", FILTERS)
    css.style(css.JUDGING)
    run = here.run
    problem: BloodappError | None = None
    parts: list[str] = []
    try:
        parts = parts_of(run)
    except BloodappError as error:
        problem = error
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width=720):
            frame.heading("Evaluate", INTRO)
        part = choose("part", {key: PARTS[key] for key in parts}, "Which part of the images") if parts else ""
    if problem:
        frame.error(problem)
    if run.state() != "done":
        background.watch(run.job, key="evaluate")
    if not part:
        _unfinished(run)
        return
    reading = read(run, part)
    try:
        _verdict(reading)
        VIEWS[_chosen()].draw(reading)
    except BloodappError as error:  # a file of the run or its dataset that cannot be read
        frame.error(error)


def _chosen() -> str:
    """The view in the address, and the two rows that it is chosen in: the question, then the view under it."""
    view = state.get("view") if state.get("view") in VIEWS else next(iter(VIEWS))
    question = next(name for name, views in QUESTIONS.items() if view in views)
    with st.container(key="evaluate-questions", gap="small"):
        state.show("evaluate-question", question)
        st.segmented_control(
            "Question",
            list(QUESTIONS),
            key="evaluate-question",
            required=True,
            label_visibility="collapsed",
            on_change=lambda: _turn(QUESTIONS[st.session_state["evaluate-question"]][0]),
        )
        views = QUESTIONS[question]
        if len(views) > 1:
            box = f"evaluate-view-{views[0]}"
            state.show(box, view)
            st.pills(
                "View",
                views,
                key=box,
                format_func=lambda key: VIEWS[key].title,
                required=True,
                label_visibility="collapsed",
                on_change=lambda: _turn_within(views, box),
            )
    return view


def _turn_within(views: tuple[str, ...], box: str) -> None:
    """Go to the view that a row of them says, unless that row is gone.

    A click from before the browser has drawn another question says what the old row showed, and Streamlit takes what
    had gone for changed: that would undo the click on the question.
    """
    if (state.get("view") or next(iter(VIEWS))) in views:
        _turn(st.session_state[box])


def _turn(view: str) -> None:
    state.put("view", None if view == next(iter(VIEWS)) else view)


def _unfinished(run: Run) -> None:
    """A run without answers yet: its curves if there are any, and what to wait for or do."""
    working = run.state() in ("queued", "running")
    if run.metrics().empty:
        frame.empty(
            "Nothing to judge yet",
            "The figures come when this training has ended."
            if working
            else "Each repeat is a network of its own: open one of them on Train."
            if run.series == "repeats"
            else "This run ended before it could be judged: continue it, or train again.",
            page="pages/3_Train.py",
            label="Go to the training",
        )
        return
    frame.section(
        "Learning curves",
        "The figures on unseen images come when the training has ended."
        if working
        else "This run has no answers on unseen images: continue it to get them.",
    )
    background.live(lambda: evaluate_views.curves(run), [run.job], active=working)


def _verdict(reading: Reading) -> None:
    """Clean and shifted accuracy side by side, and what that means in a sentence."""
    both = reading.comparison
    has_shift = reading.result.shifted is not None
    scores = _score("clean", "clean: as they are", both.clean)
    scores += _score("shifted", "shifted: light, focus, colour", both.shifted) if has_shift else ""
    words = f'<p class="lead">{escape(sentence(both, len(reading.result), has_shift=has_shift))}</p>'
    words += "".join(f'<p class="quiet">{escape(line)}</p>' for line in _small_print(reading))
    st.html(f'<div class="verdict">{scores}<div class="words">{words}</div>{_scale(both, has_shift)}</div>')


def _small_print(reading: Reading) -> list[str]:
    report = reading.run.report() or {}
    lines = [
        f"{count(len(reading.result), 'image')} of the {PARTS[reading.part].lower()}. {reads(reading.part, report)}"
    ]
    if report.get("shift") and reading.result.shifted is not None:
        lines.append(f"Shifted: {report['shift']}; the same images both times.")
    if changed := images.decided_since(reading):
        lines.append(
            f"{count(changed, 'of these images has', 'of these images have')} been relabelled or excluded since: "
            "train again to count that in."
        )
    return lines


def _score(kind: str, what: str, score: Interval) -> str:
    number = percent(score.value).removesuffix(" %")
    return (
        f'<div class="score {kind}"><span>{escape(what)}</span><b>{number}<em>%</em></b>'
        f"<small>95 %: {100 * score.low:.1f} to {100 * score.high:.1f}</small></div>"
    )


def _scale(both: Comparison, has_shift: bool) -> str:
    """The two accuracies and their intervals on one line."""
    shown = [("clean", both.clean), *([("shifted", both.shifted)] if has_shift else [])]
    low = min(int(max(0, min(10 * (score.low - 0.05) for _, score in shown))) * 10, 90)

    def at(share: float) -> float:
        return max(0.0, (100 * share - low) / (100 - low) * 100)

    parts = []
    if has_shift:
        left, right = sorted((at(both.shifted.value), at(both.clean.value)))
        parts.append(f'<i class="gap" style="left:{left:.2f}%;width:{right - left:.2f}%"></i>')
    for kind, score in shown:
        width = at(score.high) - at(score.low)
        parts.append(f'<i class="range {kind}" style="left:{at(score.low):.2f}%;width:{width:.2f}%"></i>')
        parts.append(f'<i class="mark {kind}" style="left:{at(score.value):.2f}%"></i>')
    return (
        f'<div class="scale"><div class="line">{"".join(parts)}</div>'
        f'<div class="ends"><span>{low} %</span><span>100 %</span></div></div>'
    )

"""The safety meter: at which strength "augmented" becomes "destroyed", asked of a finished run."""

from html import escape
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, changes, parse
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.staining import for_pipeline
from bloodapp.augment.strengths import alone
from bloodapp.charts.safety import safety_chart
from bloodapp.charts.style import CONFIG
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.evaluate import safety
from bloodapp.evaluate.safety import STRENGTHS, Curve, Meter, Safety
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.ui import classify_answers, frame, state
from bloodapp.ui.augment import cells, tools
from bloodapp.ui.augment.sweep import times
from bloodapp.ui.augment.verdict import notes, verdict
from bloodapp.ui.standing import judged
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import class_chip, data_uri

STEP_S = 0.7
"""Measured before the page shows what is known and listens again."""

BREATH_S = 0.2
FLIPPED = 12
"""Images shown whose answer changed."""


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the tools, and what is measured so far; measures on in steps as long as the view is open."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="augment-tools"):
        run = _run(dataset)
        tools.cells_of(dataset)
        seed = tools.seed()
        tools.other_cells()
    if run is None:
        frame.empty(
            "No model to ask",
            "The meter asks a finished run for its answers: train one first.",
            page="pages/3_Train.py",
            label="Train a model",
        )
        return
    if not changes(pipeline):
        frame.empty(
            "Nothing to measure", "This pipeline leaves every image as it is: add an operation at the left."
        )
        return
    rows = _rows(dataset, run)
    if not len(rows):
        cells.none_left()
        return
    try:
        with cells.drawing(pipeline):
            meter = _meter(
                classify_answers.key(run),
                dataset.name,
                dataset.fingerprint,
                judged(dataset).seq,
                tuple(rows.tolist()),
                pipeline_text(pipeline),
                seed,
            )
    except BloodappError as error:
        frame.error(error)
        return
    begun = meter.done >= meter.steps

    def live() -> None:
        try:
            ready = meter.advance(STEP_S)
        except BloodappError as error:
            frame.error(error)
            return
        if ready and not begun:
            state.rerun()
        with st.container(key="augment-meter"):
            _show(dataset, run, meter)

    st.fragment(live, run_every=None if begun else BREATH_S)()


def _run(dataset: Dataset) -> Run | None:
    """The choice of a finished run with a model; the user's own before the one that ships."""
    there = [run for run in list_runs() if run.finished and run.model_path.exists() and not run.parent]
    if not there:
        return None
    chosen = state.chosen_run(dataset)
    names = {run.name: f"{run.name}, shipped" if run.shipped else run.name for run in there}
    st.session_state["augment-run"] = chosen.name if chosen and chosen.name in names else there[0].name
    st.selectbox(
        "Ask the run",
        list(names),
        key="augment-run",
        format_func=lambda name: names[name],
        width=132,
        on_change=lambda: state.choose_run(st.session_state["augment-run"]),
    )
    return next(run for run in there if run.name == st.session_state["augment-run"])


def _rows(dataset: Dataset, run: Run) -> NDArray[np.int64]:
    """The images that are asked about: even over the classes that the run knows, or of the chosen class."""
    to_run = _to_run(dataset, run)
    labels = judged(dataset).labels.astype(np.int64)
    rows = judged(dataset).indices
    rows = rows[to_run[labels[rows]] >= 0]
    keys = [each.key for each in dataset.classes]
    if state.get("class") in keys:
        rows = rows[labels[rows] == keys.index(state.get("class"))]
    return safety.evenly(labels, rows, safety.IMAGES, cells.number("cells", 1))


def _to_run(dataset: Dataset, run: Run) -> NDArray[np.int64]:
    """The dataset's classes in the run's order, int64 (C,); -1 for one it does not know."""
    keys = [each.key for each in run.classes]
    return np.array([keys.index(each.key) if each.key in keys else -1 for each in dataset.classes], np.int64)


@st.cache_resource(max_entries=8, show_spinner=False)
def _meter(
    model: classify_answers.Model,
    name: str,
    fingerprint: str,
    seq: int,
    rows: tuple[int, ...],
    pipeline: str,
    seed: int,
) -> Meter:
    del fingerprint, seq  # part of the key only
    dataset, run = open_dataset(name), open_run(Path(model[0]))
    index = np.array(rows, np.int64)
    images = np.stack([dataset.images[row] for row in rows])
    labels = _to_run(dataset, run)[judged(dataset).labels[index]]
    parsed = parse(pipeline)
    return Meter(
        images,
        index,
        labels,
        parsed,
        classify_answers.loaded(model),
        seed=seed,
        draws=_draws(dataset, parsed),
    )


def _draws(dataset: Dataset, pipeline: Pipeline) -> safety.Draws:
    """How images are drawn: as in training, with the dataset's own stains."""
    stains = for_pipeline(dataset, pipeline)

    def draws(
        images: safety.Pixels, labels: safety.Ints, classes: int, changed: Pipeline, seed: int
    ) -> safety.Drawn:
        from bloodapp.augment.preview import preview

        return preview(images, labels, classes, changed, seed, stains=stains)

    return draws


def _show(dataset: Dataset, run: Run, meter: Meter) -> None:
    result = meter.result()
    threshold = _threshold()
    if meter.done < meter.steps:
        st.progress(
            meter.done / meter.steps,
            text=f"Asking {run.name} about {count(len(result.index), 'image')}, at growing strengths…",
        )
    trained = "strong changes" if run.shipped else f"“{run.config['recipe'].get('pipeline', 'none')}”"
    st.html(f'<p class="says">{verdict(result, run.name, threshold, trained)}</p>')
    figure = safety_chart(
        STRENGTHS,
        result.whole.flips(),
        [(curve.name, curve.flips()) for curve in result.ranked()],
        threshold=threshold,
        labels=[times(strength) for strength in STRENGTHS],
        destroyed_at=result.whole.destroyed_at(threshold) if result.whole.measured.all() else None,
    )
    st.plotly_chart(
        figure, key="augment-safety-chart", config=CONFIG, alt="Share of changed answers over the strength"
    )
    place = _strength()
    ranked = result.ranked(STRENGTHS[place])
    st.html(_table(result, ranked, place, threshold))
    st.html(f'<p class="quiet">{escape(notes(result))}</p>')
    if meter.done >= meter.steps:
        _flipped(dataset, run, meter, result, ranked[0] if ranked else result.whole, place)


def _threshold() -> float:
    chosen = min(max(cells.number("threshold", round(100 * safety.THRESHOLD)), 5), 60)
    st.session_state["augment-threshold"] = chosen
    st.slider(
        "Destroyed, when more answers change than",
        5,
        60,
        key="augment-threshold",
        step=5,
        format="%d %%",
        width=320,
        on_change=lambda: state.put("threshold", st.session_state["augment-threshold"]),
    )
    return chosen / 100


def _strength() -> int:
    """The strength that the table and the pictures are for, as its place."""
    written = [f"{strength:g}" for strength in STRENGTHS]
    asked = str(state.get("strength", "1"))
    st.session_state["augment-strength"] = written.index(asked if asked in written else "1")
    with st.container(key="augment-at"):
        st.segmented_control(
            "At strength",
            range(len(STRENGTHS)),
            key="augment-strength",
            required=True,
            format_func=lambda place: times(STRENGTHS[place]),
            on_change=lambda: state.put("strength", written[st.session_state["augment-strength"]]),
        )
    return int(st.session_state["augment-strength"])


def _table(result: Safety, ranked: list[Curve], place: int, threshold: float) -> str:
    rows = []
    for curve in (result.whole, *ranked):
        hint = OPERATIONS[curve.name].help if curve.name in OPERATIONS else "All of it, as training draws it."
        name = f'<td title="{escape(hint, quote=True)}"><b>{escape(curve.name)}</b>{_values(curve)}</td>'
        if not curve.measured[place]:
            rows.append(f"<tr>{name}<td>…</td><td>…</td><td>…</td><td>…</td></tr>")
            continue
        share, low, high = curve.flips()[place]
        rows.append(
            f'<tr class="{"bad" if curve.sides(threshold)[place] > 0 else ""}">{name}'
            f"<td>{100 * share:.0f} %<small>{100 * low:.0f} to {100 * high:.0f}</small></td>"
            f"<td>{_signed(float(curve.falls()[place, 0]))}</td>"
            f"<td>{100 * float(curve.accuracy()[place, 0]):.0f} %</td><td>{_safe(curve, threshold)}</td></tr>"
        )
    heads = (
        "operation alone",
        "answers that change",
        "points of confidence lost",
        "accuracy",
        "safe up to, estimated",
    )
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="safety"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _values(curve: Curve) -> str:
    if curve.name not in OPERATIONS:
        return ""
    values = next(one.values for one in alone(curve.pipeline))
    return f"<i>{escape(values)}</i>" if values else ""


def _signed(fall: float) -> str:
    points = round(100 * fall)
    return "0" if points == 0 else f"{points}".replace("-", "−")


def _safe(curve: Curve, threshold: float) -> str:
    if not curve.measured.all():
        return "…"
    sides = curve.sides(threshold)
    if curve.destroyed_at(threshold) is None:
        end = "its limit" if curve.capped is not None and curve.name in OPERATIONS else times(STRENGTHS[-1])
        return f'<span class="{"good" if (sides < 0).all() else ""}">{end}</span>'
    clearly = sides[STRENGTHS.index(1.0)] > 0
    return f'<span class="{"bad" if clearly else ""}">× {curve.safe_to(threshold):.1f}</span>'


def _flipped(dataset: Dataset, run: Run, meter: Meter, result: Safety, curve: Curve, place: int) -> None:
    """Images whose answer changed: the original, what was drawn, the class before and after."""
    flipped = np.flatnonzero(curve.flipped()[place])
    strength = times(STRENGTHS[place])
    if not len(flipped):
        frame.section("No answer changed", f"by {curve.name} at {strength}")
        return
    frame.section(
        f"What changed its class: {curve.name}",
        f"{len(flipped)} of {len(result.index)} at {strength}, those that lost most first",
    )
    flipped = flipped[np.argsort(-curve.loss[place, flipped], kind="stable")][:FLIPPED]
    images = meter.look(curve, STRENGTHS[place])
    cards = []
    for row in flipped:
        index = int(result.index[row])
        before, after = (run.classes[int(of[place, row])] for of in (curve.expected, curve.answers))
        given = run.classes[int(result.labels[row])].title
        hint = escape(f"image {index:,}, given as {given}", quote=True)
        original = data_uri(np.asarray(dataset.images[index]))
        cards.append(
            f'<figure title="{hint}"><div><img alt="original, {hint}" src="{original}">'
            f'<img alt="result" src="{data_uri(images[row])}"></div>'
            f"<figcaption>{class_chip(before)}<span>→</span>{class_chip(after)}</figcaption></figure>"
        )
    st.html(f'<div class="flipped">{"".join(cards)}</div>')

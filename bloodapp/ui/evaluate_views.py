"""The views of the Evaluate page that draw figures: the matrix, the classes, the curves, other images."""

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from bloodapp.charts.bars import recall_chart
from bloodapp.charts.confusion import confusion_chart
from bloodapp.charts.curves import learning_curve
from bloodapp.charts.style import CONFIG
from bloodapp.evaluate import metrics, mistakes
from bloodapp.runs.run import Run
from bloodapp.ui import evaluate_images, frame, state
from bloodapp.ui.evaluate_reading import Reading, choose
from bloodapp.ui.text import count, percent
from bloodapp.ui.thumbs import class_chip

_CHART = "evaluate-matrix-chart"


@st.fragment
def confusion(reading: Reading) -> None:
    """The confusion matrix; beside it the images of the chosen cell."""
    result = reading.result
    left, right = frame.columns("confusion", [3, 2])
    with left:
        with st.container(horizontal=True):
            numbers = choose("numbers", {"counts": "Counts", "rates": "Rates"}, "What stands in a cell")
            kinds = {"clean": "Clean"} | ({} if result.shifted is None else {"shifted": "Shifted"})
            under_shift = choose("matrix", kinds, "Which images") == "shifted"
        matrix = result.matrix(under_shift=under_shift)
        cell = _chosen_cell(matrix)
        figure = confusion_chart(matrix, result.classes, rates=numbers == "rates", chosen=cell, height=520)
        st.plotly_chart(
            figure,
            key=_CHART,
            config=CONFIG,
            on_select=lambda: _keep_cell(len(matrix)),
            selection_mode="points",
            alt="Confusion matrix, rows the given labels, columns the predicted classes",
        )
    with right:
        _cell_images(reading, matrix, cell, under_shift)


def _chosen_cell(matrix: np.ndarray) -> tuple[int, int] | None:
    """The cell in the address, else the largest confusion."""
    text = str(state.get("cell") or "")
    true, _, taken = text.partition("-")
    if true.isdigit() and taken.isdigit() and int(true) < len(matrix) and int(taken) < len(matrix):
        return int(true), int(taken)
    worst = mistakes.worst_cells(matrix, 1)
    return worst[0][:2] if worst else None


def _keep_cell(classes: int) -> None:
    points = st.session_state[_CHART]["selection"]["points"]
    if not points:
        return
    true, taken = (int(value) for value in list(points[0]["customdata"])[:2])
    if true < classes and taken < classes:
        state.put("cell", f"{true}-{taken}")


def _cell_images(
    reading: Reading, matrix: np.ndarray, cell: tuple[int, int] | None, under_shift: bool
) -> None:
    result = reading.result
    if cell is None:
        frame.section("No mistakes", "Click on a cell to see its images.")
        return
    true, taken = cell
    label, named = result.classes[true], result.classes[taken]
    number = int(matrix[cell])
    arrow = "named right" if true == taken else f"taken for {class_chip(named)}"
    share = number / max(int(matrix[true].sum()), 1)
    st.html(
        f'<div class="section"><h2>{class_chip(label)}</h2><span>{arrow}</span>'
        f"<span>{count(number, 'image')}, {percent(share)} of the class</span></div>"
    )
    table = result.shifted if under_shift and result.shifted is not None else result.probabilities
    positions = mistakes.cell(result.labels, table, true, taken)
    if not len(positions):
        st.html('<p class="quiet">No image fell into this cell. Click on another.</p>')
        return
    if evaluate_images.not_here(reading):
        return
    evaluate_images.show(reading, positions, under_shift=under_shift, width=76)
    if true != taken and reading.dataset is not None and not under_shift:
        st.button(
            f"Flag {'it' if number == 1 else f'these {number}'} for Review",
            key="evaluate-flag-cell",
            icon=":material/outlined_flag:",
            on_click=evaluate_images.flag,
            args=(reading.dataset.name, result.index[positions].tolist()),
        )
    if under_shift:
        st.html('<p class="quiet">Shown as the run saw them: after the shift.</p>')


def classes(reading: Reading) -> None:
    """Precision, recall and F1 of each class with intervals, clean and shifted recall side by side."""
    result = reading.result
    clean = metrics.per_class(result.matrix(), result.keys)
    hard = None if result.shifted is None else metrics.per_class(result.matrix(under_shift=True), result.keys)
    table, chart = frame.columns("classes", [6, 5])
    with table:
        st.html(_class_table(reading, clean, hard))
    with chart:
        columns = ["recall", "recall_low", "recall_high"]
        figure = recall_chart(
            clean[columns].to_numpy(), None if hard is None else hard[columns].to_numpy(), result.classes
        )
        st.plotly_chart(
            figure, key="evaluate-recall", config=CONFIG, alt="Recall of each class, clean and shifted"
        )
    st.html(
        '<p class="quiet">Small figures and thin lines: 95 % intervals from 2,000 bootstrap resamples of these images. '
        "Where they are wide, the class has too few images to be sure.</p>"
    )


def _class_table(reading: Reading, clean: pd.DataFrame, hard: pd.DataFrame | None) -> str:
    heads = [
        "class",
        "images",
        "precision",
        "recall",
        *(["recall, shifted"] if hard is not None else []),
        "F1",
    ]
    rows = []
    for place, cell_class in enumerate(reading.result.classes):
        row = clean.iloc[place]
        cells = [f"<td>{class_chip(cell_class)}</td>", f"<td>{int(row['support']):,}</td>"]
        cells += [_figure(row, "precision"), _figure(row, "recall")]
        if hard is not None:
            cells.append(_figure(hard.iloc[place], "recall"))
        cells.append(_figure(row, "f1"))
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figure(row: pd.Series, name: str) -> str:
    value, low, high = (float(row[key]) for key in (name, f"{name}_low", f"{name}_high"))
    if value != value:
        return "<td>–</td>"
    return f"<td>{100 * value:.1f}<small>{100 * low:.0f} to {100 * high:.0f}</small></td>"


def curves(run: Run) -> None:
    """Loss and accuracy per epoch, training beside validation."""
    table = run.metrics()
    if table.empty:
        frame.section("No curves", "This run keeps no figures per epoch.")
        return
    best = (run.report() or {}).get("best_epoch")
    left, right = frame.columns("curves", [1, 1])
    for column, name in ((left, "loss"), (right, "accuracy")):
        figure = learning_curve(
            table["epoch"].tolist(),
            _column(table, name) or [],
            _column(table, f"val_{name}") or [],
            name=name,
            shifted=_column(table, "val_shifted_accuracy") if name == "accuracy" else None,
            best_epoch=int(best) if best else None,
            share=name == "accuracy",
            height=320,
        )
        column.plotly_chart(figure, key=f"evaluate-curve-{name}", config=CONFIG, alt=f"{name} per epoch")


def _column(table: pd.DataFrame, name: str) -> list[float | None] | None:
    if name not in table or table[name].isna().all():
        return None
    return [None if value != value else float(value) for value in table[name].astype(float)]

"""The views of the Evaluate page that draw figures: the matrix, the classes, the curves, other images."""

from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from bloodapp.charts.bars import recall_chart
from bloodapp.charts.confusion import confusion_chart
from bloodapp.charts.curves import learning_curve
from bloodapp.charts.style import CONFIG
from bloodapp.evaluate import metrics, mistakes, scores
from bloodapp.evaluate.evaluate import Judgement
from bloodapp.evaluate.ordering import by_similarity
from bloodapp.runs.run import Run
from bloodapp.ui import css, frame, state
from bloodapp.ui.evaluate import flags, images
from bloodapp.ui.evaluate.reading import Reading, choose
from bloodapp.ui.text import count, percent
from bloodapp.ui.thumbs import class_chip

STYLE = Path(__file__).with_name("views.css")

_CHART = "evaluate-matrix-chart"
_BOXES = ("evaluate-cell-label", "evaluate-cell-named")
_NUMBERS = {"counts": "Counts", "rows": "By row", "columns": "By column"}
_ORDERS = {"listed": "As listed", "similar": "By similarity"}
_READ = {
    "counts": "Rows are the given labels, columns what the run named them.",
    "rows": "Each row is 100 %: of the images labelled so, the share taken for what (recall on the diagonal).",
    "columns": "Each column is 100 %: of the images taken for it, the share labelled so (precision on the diagonal).",
}


def confusion(reading: Reading) -> None:
    """The confusion matrix; beside it the images of the chosen cell."""
    css.style(STYLE)
    _confusion(reading)


@st.fragment
def _confusion(reading: Reading) -> None:
    result = reading.result
    left, right = frame.columns("confusion", [3, 2])
    with left:
        with st.container(horizontal=True, key="evaluate-matrix-choices", gap="small"):
            numbers = choose("numbers", _NUMBERS, "What stands in a cell")
            kinds = {"clean": "Clean"} | ({} if result.shifted is None else {"shifted": "Shifted"})
            under_shift = choose("matrix", kinds, "Which images") == "shifted"
            order = choose("order", _ORDERS, "The order of the classes")
        matrix = result.matrix(under_shift=under_shift)
        cell = _chosen_cell(matrix)
        figure = confusion_chart(
            matrix,
            result.classes,
            numbers=numbers,
            # The order of the clean images stays when the shift is shown, so that the two can be compared.
            order=by_similarity(result.matrix()) if order == "similar" else None,
            chosen=cell,
            height=520,
        )
        st.plotly_chart(
            figure,
            key=_CHART,
            config=CONFIG,
            on_select=lambda: _keep_cell(len(matrix)),
            selection_mode="points",
            alt="Confusion matrix, rows the given labels, columns the predicted classes",
        )
        st.html(f'<p class="quiet">{_READ[numbers]} Click on a cell, or choose it, to see its images.</p>')
        _cell_boxes(result, cell)
    with right:
        _cell_images(reading, matrix, cell, under_shift)


def _chosen_cell(matrix: np.ndarray) -> tuple[int, int] | None:
    """The cell in the address, else the largest confusion."""
    text = str(state.get("cell") or "")
    true, _, taken = text.partition("-")
    if true.isdecimal() and taken.isdecimal() and int(true) < len(matrix) and int(taken) < len(matrix):
        return int(true), int(taken)
    worst = mistakes.worst_cells(matrix, 1)
    return worst[0][:2] if worst else None


def _cell_boxes(result: Judgement, cell: tuple[int, int] | None) -> None:
    """The chosen cell as two boxes, for whoever works with keys."""
    places = list(range(len(result.classes)))

    def keep() -> None:
        if state.get("view"):  # a click on another view, and one more before the browser has drawn that
            return
        true, taken = (st.session_state[box] for box in _BOXES)
        # Where no cell is chosen yet, the first box alone chooses the right answers.
        true, taken = (taken if true is None else true), (true if taken is None else taken)
        if true is not None:
            state.put("cell", f"{true}-{taken}")

    with st.container(horizontal=True, gap="small", key="evaluate-cell-boxes"):
        for box, title, value in zip(_BOXES, ("Labelled", "Taken for"), cell or (None, None), strict=True):
            state.show(box, value)
            st.selectbox(
                title,
                places,
                index=None,  # what is shown is the session's
                format_func=lambda place: result.classes[place].title,
                key=box,
                on_change=keep,
                width=210,
            )


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
        st.html('<p class="quiet">No image fell into this cell. Choose another.</p>')
        return
    if images.not_here(reading):
        return
    images.show(reading, positions, under_shift=under_shift, width=76, labels=False)
    if true != taken and reading.dataset is not None and not under_shift:
        st.button(
            f"Flag {'it' if number == 1 else f'these {number}'} for Review",
            key="evaluate-flag-cell",
            icon=":material/outlined_flag:",
            on_click=flags.flag,
            args=(reading.dataset.name, result.index[positions].tolist()),
        )
        flags.report()
    if under_shift:
        st.html('<p class="quiet">Shown as the run saw them: after the shift.</p>')


def classes(reading: Reading) -> None:
    """The figures of the whole run, then precision, recall, F1 and AUC of each class, all with intervals."""
    css.style(STYLE)
    result = reading.result
    clean = _per_class(result, False)
    hard = None if result.shifted is None else _per_class(result, True)
    st.html(_headline(result))
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
        '<p class="quiet">Small figures and thin lines: 95 % bootstrap intervals, from 2,000 resamples of these '
        f"images, for the AUC from the standard error of {scores.AUC_DRAWS}. Where they are wide, the class has too "
        "few images to be sure. Precision, recall, F1 and AUC of the whole run are means of the classes.</p>"
    )


@lru_cache(maxsize=16)
def _scores(result: Judgement, under_shift: bool) -> scores.Scores:
    table = result.shifted if under_shift else result.probabilities
    assert table is not None
    return scores.score(result.labels, table)


@lru_cache(maxsize=16)
def _per_class(result: Judgement, under_shift: bool) -> pd.DataFrame:
    frame_ = metrics.per_class(result.matrix(under_shift=under_shift), result.keys)
    frame_[["auc", "auc_low", "auc_high"]] = _scores(result, under_shift).auc
    return frame_


def _headline(result: Judgement) -> str:
    """The figures of the run as one row clean and one shifted."""
    heads = "".join(
        f'<th title="{escape(scores.MEANS[key], quote=True)}">{escape(title)}</th>'
        for key, title in scores.TITLES.items()
    )
    rows = []
    kinds = [("clean", False)] + ([] if result.shifted is None else [("shifted", True)])
    for kind, under_shift in kinds:
        cells = "".join(
            _cell(key, figure.value, figure.low, figure.high)
            for key, figure in _scores(result, under_shift).overall.items()
        )
        rows.append(f'<tr><td><span class="kind {kind}">{kind}</span></td>{cells}</tr>')
    return (
        f'<div class="scroll"><table class="figures whole"><thead><tr><th>all classes</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _class_table(reading: Reading, clean: pd.DataFrame, hard: pd.DataFrame | None) -> str:
    heads = [
        "class",
        "images",
        "precision",
        "recall",
        *(["recall, shifted"] if hard is not None else []),
        "F1",
        "AUC",
    ]
    rows = []
    for place, cell_class in enumerate(reading.result.classes):
        row = clean.iloc[place]
        cells = [f"<td>{class_chip(cell_class)}</td>", f"<td>{int(row['support']):,}</td>"]
        cells += [_figure(row, "precision"), _figure(row, "recall")]
        if hard is not None:
            cells.append(_figure(hard.iloc[place], "recall"))
        cells += [_figure(row, "f1"), _figure(row, "auc")]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figure(row: pd.Series, name: str) -> str:
    value, low, high = (float(row[key]) for key in (name, f"{name}_low", f"{name}_high"))
    return _cell(name, value, low, high, ends=0)


def _cell(name: str, value: float, low: float, high: float, *, ends: int = 1) -> str:
    """A figure and its interval: a share in percent, AUC and kappa as the field writes them."""
    if value != value:
        return "<td>–</td>"
    if name == "auc":
        return f"<td>{value:.4f}<small>{low:.4f} to {high:.4f}</small></td>"
    if name == "kappa":
        return f"<td>{value:.3f}<small>{low:.3f} to {high:.3f}</small></td>"
    return f"<td>{100 * value:.1f}<small>{100 * low:.{ends}f} to {100 * high:.{ends}f}</small></td>"


def curves(run: Run) -> None:
    """Loss and accuracy per epoch, training beside validation."""
    table = run.metrics()
    if table.empty:
        if run.combined:
            said = "It was put together from trained runs and has not learned by itself."
            frame.empty(
                "No curves of its own", said, page="pages/3_Train.py", label="Curves of the runs on Train"
            )
        else:
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

"""The scoreboard: what the detectors find of the faults that are known, and how early in the queue."""

from html import escape

import pandas as pd
import streamlit as st

from bloodapp.charts.scoreboard import PRECISION, RECALL, budget_chart, sweep_chart
from bloodapp.charts.style import CONFIG
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review import scoreboard
from bloodapp.review.findings import KINDS
from bloodapp.review.scoreboard import Budget, Score
from bloodapp.review.thresholds import DEFAULT, FLOOR, above, choose_threshold, thresholds
from bloodapp.review.truth import known_faults
from bloodapp.ui import frame, state
from bloodapp.ui.review import planting, verdicts
from bloodapp.ui.text import count

_BUDGET = "board_budget"
_KIND = "board_kind"


def draw(dataset: Dataset, judged: Judged, findings: pd.DataFrame) -> None:
    """Draw this part of the page; `findings` down to the floor."""
    if dataset.truth is None:
        planting.draw(dataset)
        return
    known = known_faults(dataset.truth, dataset.labels)
    limits = thresholds(dataset)
    board = scoreboard.budget(above(findings, limits)["index"], known, len(dataset))
    _budget(board)
    judged_kinds = scoreboard.scores(findings, known, limits)
    table, close = frame.columns("scoreboard", [6, 5])
    with table:
        frame.section("Kind by kind", "at the present thresholds")
        st.html(_table(judged_kinds, findings, known))
    planted = [one for one in judged_kinds if one.planted]
    if not planted:
        return
    with close:
        frame.section("One kind closely")
        one = _chosen(planted)
        _threshold(dataset, findings, known, one)
    verdicts.draw(dataset, judged, known, one)


@st.fragment
def _budget(board: Budget) -> None:
    """The sentence, the slider and the curve; moving the slider draws nothing else."""
    most = min(board.images, max(2 * board.faults, round(1.15 * len(board.order)), 20))
    step = 10 if most > 300 else 1
    usual = min(300, max(step, most // 2 // step * step))
    chosen = min(int(state.get(_BUDGET, usual)), most)
    left, right = frame.columns("budget", [4, 7])
    with left:
        sentence = st.empty()
        st.session_state["board-budget"] = chosen
        st.slider(
            "Images you look at",
            0,
            most,
            key="board-budget",
            step=step,
            on_change=lambda: state.put(_BUDGET, st.session_state["board-budget"]),
        )
        share = board.share(chosen)
        sentence.html(
            f'<p class="budget">Review the first <b>{chosen:,}</b> images,<br>find <b>{100 * share:.0f} %</b> of '
            "the faults.</p>"
        )
        frame.facts(
            [
                ("faulty images", f"{board.faults:,} of {board.images:,}"),
                ("flagged", f"{len(board.order):,}"),
                ("found in all", f"{100 * board.share(board.images):.0f} %"),
            ]
        )
        chance, best = 100 * board.chance_share(chosen), 100 * board.best_share(chosen)
        st.html(
            f'<p class="quiet">In any order they hold {chance:.0f} %, in the best possible order {best:.0f} %. '
            "Whoever sees a copy or its original has found the copy.</p>"
        )
    with right:
        axis = range(most + 1)
        figure = budget_chart(
            board.found / max(board.faults, 1),
            [board.best_share(n) for n in axis],
            [board.chance_share(n) for n in axis],
            looked_at=chosen,
        )
        st.plotly_chart(
            figure, key="board-budget-chart", config=CONFIG, alt="Share of the faults over images looked at"
        )


def _table(judged_kinds: list[Score], findings: pd.DataFrame, known: pd.DataFrame) -> str:
    """One row a kind with bars, as HTML; what nobody planted stands below."""
    rows = []
    for one in sorted(judged_kinds, key=lambda one: not one.planted):
        title = KINDS[one.kind].title
        name = f'<td title="{escape(KINDS[one.kind].means, quote=True)}">{escape(title)}</td>'
        flagged = f"<td>{one.flagged:,}</td>"
        if one.planted:
            figures = (
                f"<td>{one.planted:,}</td>{flagged}{_bar(one.recall, RECALL)}{_bar(one.precision, PRECISION)}"
            )
            rows.append(f"<tr>{name}{figures}</tr>")
            continue
        faulty = known.loc[known["planted"], "index"]
        of_others = int(pd.Series(one.wrong).isin(faulty).sum())
        said = f"none known; {of_others:,} of them are at fault otherwise"
        rows.append(f'<tr class="unplanted">{name}<td>–</td>{flagged}<td colspan="2">{said}</td></tr>')
    return (
        '<div class="board-table"><table><thead><tr><th>kind</th><th>faults</th><th>flagged</th><th>recall</th>'
        f"<th>precision</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _bar(share: float | None, colour: str) -> str:
    if share is None:
        return '<td class="share"><span>–</span></td>'
    # 99.96 % is not all of them.
    text = f"{share:.0%}"[:-1] if share in (0, 1) else f"{min(100 * share, 99.9):.1f}"
    return (
        f'<td class="share"><span>{text} %</span><div class="bar"><i style="width:{100 * share:.1f}%;'
        f'background:{colour}"></i></div></td>'
    )


def _chosen(planted: list[Score]) -> Score:
    """The kind that is looked at closely: the chosen one, else the one that is missed most."""
    by_kind = {one.kind: one for one in planted}
    worst = min(planted, key=lambda one: (one.recall or 0) + (one.precision or 0))
    kind = state.get(_KIND)
    kind = kind if kind in by_kind else worst.kind
    st.session_state["board-kind"] = kind
    st.selectbox(
        "A kind in detail",
        list(by_kind),
        key="board-kind",
        format_func=lambda one: KINDS[one].title,
        label_visibility="collapsed",
        on_change=lambda: state.put(_KIND, st.session_state["board-kind"]),
    )
    return by_kind[kind]


def _threshold(dataset: Dataset, findings: pd.DataFrame, known: pd.DataFrame, one: Score) -> None:
    """Precision and recall over the threshold, and the slider that moves it."""
    curve = scoreboard.sweep(findings, known, one.kind)
    figure = sweep_chart(curve.thresholds, curve.precision, curve.recall, threshold=one.threshold)
    st.plotly_chart(
        figure,
        key=f"board-sweep-{one.kind}",
        config=CONFIG,
        alt=f"Precision and recall of {KINDS[one.kind].title} over the threshold",
    )
    key = f"board-threshold-{one.kind}"
    st.session_state[key] = one.threshold

    def move() -> None:
        choose_threshold(dataset, one.kind, st.session_state[key])

    st.slider("Threshold", FLOOR, 1.0, key=key, step=0.01, on_change=move)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            f'<span class="quiet">{count(one.flagged, "image")} flagged. The queue and the command line use '
            "this threshold too.</span>"
        )
        if one.threshold != DEFAULT:
            st.button(
                f"Back to {DEFAULT}",
                key=f"board-default-{one.kind}",
                type="tertiary",
                on_click=choose_threshold,
                args=(dataset, one.kind, None),
            )

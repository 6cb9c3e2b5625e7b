"""A finished pair compared: the sentence, the classes, and the images that changed sides."""

from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from bloodapp.charts.change import change_chart
from bloodapp.charts.style import CONFIG
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.evaluate.effect import Effect, Pair, View, effect, pair_of, points, sentence, verdict
from bloodapp.evaluate.metrics import Paired
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run, open_run
from bloodapp.ui import css, frame, thumbs
from bloodapp.ui.evaluate.images import pictures
from bloodapp.ui.evaluate.reading import choose
from bloodapp.ui.text import ago, count, percent
from bloodapp.ui.thumbs import class_chip

_MOST = 21
_PAIRS = 10
_PARTS = {"test": "test", "val": "validation"}


def draw(dataset: Dataset, pair: Pair) -> None:
    """Draw the comparison; raises what `effect` raises."""
    css.style(css.JUDGING)
    result = _effect(str(pair.after.folder), _stamp(pair))
    st.html(_headline(result, pair))
    views = {"clean": "As they are"} | ({} if result.shifted is None else {"shifted": "Under the shift"})
    with st.container(horizontal=True, vertical_alignment="center", key="effect-choice"):
        frame.section("Class by class")
        shown = choose("effect_on", views, "Which images")
    view = result.shifted if shown == "shifted" and result.shifted is not None else result.clean
    left, right = frame.columns("effect-result", [7, 5])
    with left:
        st.plotly_chart(
            _chart(result, view),
            key="effect-chart",
            config=CONFIG,
            alt="Accuracy and recall of each class before and after, and the change with its interval",
        )
    with right:
        _images(dataset, result, view, under_shift=shown == "shifted")
    st.html(_table(result, view))
    st.html(_notes(result, pair))


def _stamp(pair: Pair) -> tuple[int, ...]:
    return tuple((run.folder / PREDICTIONS).stat().st_mtime_ns for run in (pair.before, pair.after))


@lru_cache(maxsize=2 * _PAIRS)
def _effect(after: str, stamp: tuple[int, ...]) -> Effect:
    del stamp  # part of the key only: a continued run writes its predictions anew
    return effect(pair_of(open_run(Path(after))))


def _headline(result: Effect, pair: Pair) -> str:
    overall = result.clean.overall
    blocks = [_block("The images as they are", overall)]
    if result.shifted is not None:
        blocks.append(_block("The same images under the shift", result.shifted.overall))
    small = f"{count(overall.n, _PARTS.get(result.part, '') + ' image')} that neither training saw"
    about = [small, f"{_recipe(pair)}, one training each", f"set up {ago(pair.after.created)}"]
    return (
        f'<div class="effect-said {verdict(overall)}"><h2>{escape(sentence(overall, result.part))}</h2>'
        f'<p class="quiet">{escape(" · ".join(about))}</p>'
        f'<div class="effect-blocks">{"".join(blocks)}</div></div>'
    )


def _recipe(pair: Pair) -> str:
    title = str(pair.after.config["recipe"].get("title") or pair.after.recipe).partition(":")[0]
    trial = ", few images" if pair.after.config["recipe"].get("images") else ""
    return f"{title}, seed {pair.seed}{trial}"


def others(found: list[Pair]) -> None:
    """All finished pairs in a row each, when there are several: how far recipes and seeds agree."""
    done = [pair for pair in found if pair.done][:_PAIRS]
    rows = []
    for pair in done:
        try:
            result = _effect(str(pair.after.folder), _stamp(pair))
        except (BloodappError, OSError):
            continue
        shown = [view.overall if view else None for view in (result.clean, result.shifted)]
        cells = [escape(_recipe(pair)), f"{len(result.labels):,}", *(_overall(one) for one in shown)]
        cells += [escape(count(pair.seq, "decision")), escape(ago(pair.after.created))]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    if len(rows) < 2:
        return
    frame.section("Pairs of this dataset", "Where other seeds disagree, trust no single pair.")
    names = ("recipe", "judged on", "change", "under the shift", "after", "set up")
    head = "".join(f"<th>{name}</th>" for name in names)
    st.html(
        f'<div class="scroll effect-table"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _overall(one: Paired | None) -> str:
    if one is None:
        return "–"
    mood = {"helped": "good", "hurt": "bad", "open": ""}[verdict(one)]
    change = one.change
    return (
        f'<strong class="{mood}">{points(change.value)}</strong>'
        f"<small>{points(change.low)} to {points(change.high)}</small>"
    )


def _block(title: str, overall: Paired) -> str:
    change = overall.change
    return (
        f'<div class="{verdict(overall)}"><span>{escape(title)}</span>'
        f"<b>{percent(overall.before.value)} <i>→</i> {percent(overall.after.value)}</b>"
        f"<p><strong>{points(change.value)} points</strong>, 95 % interval {points(change.low)} to "
        f"{points(change.high)}</p>"
        f"<p>{count(overall.mended, 'image')} went right, {overall.broken:,} went wrong</p></div>"
    )


def _chart(result: Effect, view: View) -> object:
    one = view.overall
    overall = [one.before.value, one.after.value, one.change.value, one.change.low, one.change.high]
    names = ("recall_before", "recall_after", "recall_change", "recall_low", "recall_high")
    return change_chart(overall, view.per_class[list(names)].to_numpy(), result.classes)


def _images(dataset: Dataset, result: Effect, view: View, *, under_shift: bool) -> None:
    mended, broken = result.changed(view)
    for positions, title, words, colour in (
        (mended, "went right", "wrong before, right after", "var(--good)"),
        (broken, "went wrong", "right before, wrong after", "var(--bad)"),
    ):
        st.html(
            f'<div class="group"><i style="background:{colour}"></i><b>{len(positions):,} {title}</b>'
            f"<span>{words}</span></div>"
        )
        if not len(positions):
            st.html('<p class="quiet">None.</p>')
            continue
        shown = positions[:_MOST]
        titles = [c.title for c in result.classes]
        labels = result.labels[shown]
        thumbs.grid(
            pictures(dataset, result.index[shown], under_shift=under_shift),
            colours=[result.classes[k].colour for k in labels],
            hints=[
                f"image {result.index[at]}, {titles[result.labels[at]]}: taken for {titles[view.before[at]]} before, "
                f"{titles[view.after[at]]} after"
                for at in shown
            ],
            width=58,
        )
        if len(positions) > _MOST:
            st.html(f'<div class="quiet">the first {_MOST} of {len(positions):,}</div>')


def _table(result: Effect, view: View) -> str:
    heads = ["class", "images", "recall", "change", "F1", "change", "right, wrong"]
    rows = []
    for place, cell_class in enumerate(result.classes):
        row = view.per_class.iloc[place]
        cells = [class_chip(cell_class), f"{int(row['support']):,}"]
        for name in ("recall", "f1"):
            levels = (_share(float(row[f"{name}_{side}"])) for side in ("before", "after"))
            cells += [" <i>→</i> ".join(levels), _change(row, name)]
        cells.append(f"+{int(row['mended']):,} <i>/</i> −{int(row['broken']):,}")
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f'<div class="scroll effect-table"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def _change(row: pd.Series, name: str) -> str:
    value, low, high = (float(row[f"{name}_{key}"]) for key in ("change", "low", "high"))
    if np.isnan(value):
        return "–"
    mood = "good" if round(100 * low, 1) > 0 else "bad" if round(100 * high, 1) < 0 else ""
    return f'<strong class="{mood}">{points(value)}</strong><small>{points(low)} to {points(high)}</small>'


def _notes(result: Effect, pair: Pair) -> str:
    """What the figures do not know, in plain words."""
    before, after = (_learned(run) for run in (pair.before, pair.after))
    said = [
        f"Before learned from {before}, after from {after}; the recipe and its seed are the same. Where images were "
        "excluded, an epoch before has more of them.",
        "Both are judged on the same images, under the decided labels; copies of these images are in neither "
        "training. Intervals: 95 %, from 2,000 paired bootstrap resamples, never narrower than McNemar's exact test "
        f"allows; of {len(result.classes)} classes one may leave out 0 by chance. They are about the draw of the "
        "images. Another seed would move both figures, too: train a pair with another seed to see how far.",
    ]
    if len({(run.report() or {}).get("epochs") for run in (pair.before, pair.after)}) > 1:
        said.append("They did not make the same number of epochs: part of the change may come from that.")
    if result.part == "val":
        said.append("There is no test part: these validation images also chose the best epochs.")
    if pair.after.config["recipe"].get("images"):
        said.append("This pair took few images: it shows that everything works, not what cleaning does.")
    return (
        '<div class="effect-notes quiet">' + "".join(f"<p>{escape(words)}</p>" for words in said) + "</div>"
    )


def _learned(run: Run) -> str:
    images = int((run.split()["part"] == "train").sum())
    epochs = (run.report() or {}).get("epochs")
    return count(images, "image") + (f" in {count(int(epochs), 'epoch')}" if epochs else "")

"""The learning curves of a run: loss, accuracy, and the learning rate, with the ends of its phases."""

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from bloodapp.charts.curves import learning_curve
from bloodapp.charts.rates import schedule_chart
from bloodapp.charts.style import CONFIG
from bloodapp.ui.train import words as train_words


def draw(metrics: pd.DataFrame, best: int | None) -> None:
    """Draw them from the second epoch on."""
    if len(metrics) < 2:
        return
    epochs = metrics["epoch"].tolist()
    parts = phases(metrics)
    ends = [first - 0.5 for first, _, _ in parts[1:]]
    with_rates = "learning_rate" in metrics and metrics["learning_rate"].notna().any()
    with st.container(key="train-curves"):
        columns = st.columns([5, 5, 3] if with_rates else 2, gap="medium")
    for column, name in zip(columns, ("loss", "accuracy"), strict=False):
        shifted = name == "accuracy" and "val_shifted_accuracy" in metrics
        figure = learning_curve(
            epochs,
            values(metrics, name),
            values(metrics, f"val_{name}"),
            shifted=values(metrics, "val_shifted_accuracy") if shifted else None,
            name=name,
            best_epoch=best,
            share=name == "accuracy",
            boundaries=ends,
        )
        column.plotly_chart(figure, key=f"train-curve-{name}", config=CONFIG, alt=f"The {name} of each epoch")
    if with_rates:
        figure = schedule_chart(epochs, values(metrics, "learning_rate"), boundaries=ends)
        columns[2].plotly_chart(
            figure, key="train-curve-rate", config=CONFIG, alt="The learning rate of each epoch"
        )
    if len(parts) > 1:
        words = " · ".join(
            f"{first}–{last}: {phase}" if last > first else f"{first}: {phase}"
            for first, last, phase in parts
        )
        st.html(f'<p class="quiet">What learned, by epochs: {escape(words)}</p>')


def phases(metrics: pd.DataFrame) -> list[tuple[int, int, str]]:
    """The phases that were trained so far: first epoch, last epoch, what learned."""
    if "phase" not in metrics:
        return []
    found: list[tuple[int, int, str]] = []
    before = None
    for epoch, phase in zip(
        metrics["epoch"].astype(int), metrics["phase"].fillna("").astype(str), strict=True
    ):
        words = train_words.phase(phase)
        if found and phase == before:
            found[-1] = (found[-1][0], epoch, words)
        else:
            found.append((epoch, epoch, words))
        before = phase
    return found


def values(metrics: pd.DataFrame, name: str) -> list[float | None]:
    """A column of the metrics; None where it has no figure."""
    if name not in metrics:
        return [None] * len(metrics)
    return [_real(value) for value in metrics[name].tolist()]


def _real(value: Any) -> float | None:
    return None if value is None or value != value else float(value)

"""The learning-rate finder: the right rate on curves whose answer is known, and a real search on a tiny network."""

from dataclasses import replace

import numpy as np
import pytest

from bloodapp import jobs, workspace
from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, Unreadable
from bloodapp.jobs.job import request_stop
from bloodapp.train import finder
from tests.train.trying import TINY

SMALL = replace(TINY, size=48, small_size=48, batch=16, pipeline="flip")
RATES = finder.rising()


def curve(falls_at: float, rises_at: float, noise: float = 0.05) -> np.ndarray:
    """Losses that fall from 2.1 to 0.4, fastest at one rate, and rise without end from another."""
    place = np.log10(RATES)
    losses = 0.4 + 1.7 / (1 + np.exp(4 * (place - np.log10(falls_at)))) + (RATES / rises_at) ** 2
    return losses * np.exp(np.random.default_rng(0).normal(0, noise, len(losses)))


@pytest.mark.parametrize(("falls_at", "rises_at"), [(1e-3, 1.0), (1e-5, 0.1), (1e-4, 3.0)])
def test_the_steepest_fall_is_suggested(falls_at: float, rises_at: float) -> None:
    """Within a factor of two of where it truly is, and never above a tenth of the rate of the least loss."""
    found = finder.suggest(RATES, curve(falls_at, rises_at))
    assert falls_at / 2 < found.steepest < falls_at * 2
    assert found.suggested == min(found.steepest, found.tenth)
    assert len(found.rates) == len(found.losses) == len(RATES)


def test_a_tenth_of_the_least_caps_it() -> None:
    """Where the loss falls fastest just before it rises, the suggestion keeps its distance."""
    found = finder.suggest(RATES, curve(1e-2, 2e-2, noise=0.0))
    assert found.suggested == found.tenth < found.steepest


def test_it_ends_when_the_loss_has_left() -> None:
    """Not while it falls, nor at a single bad batch; soon after it rises; at once when it is no number."""
    losses = curve(1e-3, 0.1)
    ended = next(count for count in range(1, len(losses) + 1) if finder.diverged(losses[:count]))
    assert 0.05 < RATES[ended - 1] < 1.0
    bad = losses[:40].copy()
    bad[30] *= 2.5
    assert not any(finder.diverged(bad[:count]) for count in range(1, 41))
    assert finder.diverged(np.array([2.0, np.nan]))
    assert finder.diverged(np.array([2.0, np.inf]))
    assert not finder.diverged(np.array([]))


def test_losses_that_are_no_number_are_left_out() -> None:
    """The rest tells the rate; they stand as nothing in what is kept."""
    losses = curve(1e-4, 0.1)[:90]
    losses[-1], losses[20] = np.nan, np.inf
    found = finder.suggest(RATES[:90], losses)
    assert found.losses[-1] is None
    assert found.losses[20] is None
    assert 5e-5 < found.suggested < 2e-4


def test_without_an_answer_it_says_why() -> None:
    """A loss that only rises, and one that is no number from the start."""
    with pytest.raises(InvalidValue, match="fell at no learning rate"):
        finder.suggest(RATES, np.linspace(1, 5, len(RATES)))
    with pytest.raises(InvalidValue, match="no number"):
        finder.suggest(RATES[:3], np.array([2.0, 2.0, np.nan]))


def test_rates_rise_evenly_in_their_logarithm() -> None:
    """From 1e-7 to 10, each the same factor above the last."""
    assert RATES[[0, -1]] == pytest.approx([1e-7, 10.0])
    assert np.ptp(np.diff(np.log(RATES))) < 1e-9


def test_a_real_search(tiny: Dataset) -> None:
    """A job trains a tiny network with rising rates until it diverges, and leaves a rate that lies between."""
    job = finder.submit(tiny, replace(SMALL, optimizer="adam"))
    assert finder.read(job) is None
    stepped = jobs.step()
    assert stepped is not None
    assert job.state() == "done", job.log()
    found = finder.read(job)
    assert found is not None
    assert found.rates[0] < found.suggested < found.rates[-1]
    assert job.status()["result"] == {"suggested": found.suggested}
    assert len(found.losses) == len(found.rates) <= finder.STEPS


def test_a_stopped_search_suggests_nothing(tiny: Dataset) -> None:
    """It ends as stopped and leaves no result; a damaged one is told as that."""
    job = finder.submit(tiny, SMALL)
    request_stop(job)
    assert jobs.perform(job) == "stopped"
    assert finder.read(job) is None
    workspace.write_json(job.folder / finder.FILE, {"rates": []})
    with pytest.raises(Unreadable, match="search again"):
        finder.read(job)

"""The last batches of decisions are what the whole log says of them, read without it."""

import random

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import batches, log, record, relabel, undo
from bloodapp.data.recent import recent
from bloodapp.errors import InvalidValue


def test_it_says_what_the_whole_log_says(tiny: Dataset) -> None:
    """After many decisions and undos, and undos of undos, whole and in part, both agree about every batch."""
    rng = random.Random(3)
    for _ in range(60):
        some = rng.sample(range(48), rng.randint(1, 9))
        does = rng.choice(["keep", "exclude", "flag", "relabel", "labels", "undo", "undo one"])
        try:
            if does == "labels":
                relabel(tiny, {index: rng.randrange(8) for index in some}, why="so", who="ada")
            elif does == "relabel":
                record(tiny, some, "relabel", label=rng.randrange(8))
            elif does == "undo":
                undo(tiny, batch=rng.randint(1, len(batches(tiny, None)) + 1))
            elif does == "undo one":
                undo(tiny, seq=rng.randint(1, len(log(tiny)) + 1))
            else:
                record(tiny, some, does, why="because")
        except InvalidValue:
            pass
    whole = batches(tiny, None)
    whole = whole[whole["action"] != "undo"]
    assert whole["cancelled"].any() and not whole["cancelled"].all()
    for limit in (1, 7, 1000):
        columns = ["batch", "action", "count", "label", "why", "who", "when", "cancelled"]
        assert [tuple(getattr(one, name) for name in columns) for one in recent(tiny, limit)] == list(
            whole[columns].head(limit).itertuples(index=False, name=None)
        )


def test_a_batch_counts_all_its_images(tiny: Dataset) -> None:
    """However many batches are asked for, each is whole, and knows its first image."""
    record(tiny, range(40, 2, -1), "exclude")
    (one,) = recent(tiny, 1)
    assert (one.count, one.first, one.label, one.cancelled) == (38, 40, -1, False)


def test_there_may_be_none(tiny: Dataset) -> None:
    """An empty log has no batches."""
    assert recent(tiny, 5) == []

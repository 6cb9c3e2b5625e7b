"""`combine` from the command line."""

from collections.abc import Callable

from bloodapp.data.dataset import Dataset
from bloodapp.runs.run import open_run
from tests.made import give_model, make_run


def test_combine_prints_the_name_last(tiny: Dataset, run: Callable[..., str]) -> None:
    """The run is there, judged, with its members beside it on stderr; what cannot be done is a line and code 2."""
    for seed, name in enumerate(("one", "other")):
        give_model(make_run(tiny, name, size=32), seed=seed)
    assert run("combine", "one", "other", "--how", "majority", "--name", "whole").splitlines()[-1] == "whole"
    whole = open_run("whole")
    assert whole.finished and whole.made_of == "2 runs, majority"
    assert "put together from finished runs" in run("reproduce", "whole", code=2, stream="err")
    assert "--flips" in run("combine", "one", code=2, stream="err")
    twice = run("combine", "whole", "one", code=2, stream="err")
    assert "'one' would be there twice, as 'whole' holds it already" in twice
    assert "taken" in run("combine", "one", "other", "--name", "whole", code=2, stream="err")


def test_compare_takes_the_images_that_both_kept_aside(tiny: Dataset, run: Callable[..., str]) -> None:
    """Runs with other splits are tested on what neither has learned from; where nothing is left, what to do is said."""
    make_run(tiny, "one", seed=1)
    other = make_run(tiny, "other", seed=2)
    said = run("compare", "one", "other")
    assert "that all of them kept aside and none has learned from" in said
    assert "one and other cannot be told apart" in said
    other.split().assign(part="train").to_parquet(other.folder / "split.parquet")
    assert "the same seed and shares" in run("compare", "one", "other")

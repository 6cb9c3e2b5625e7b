"""Where a run comes from: the dataset that it learned from, and which images of another one it knows."""

from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.errors import BloodappError
from bloodapp.runs.run import Run


def dataset_of(run: Run) -> Dataset | None:
    """The dataset that the run learned from, whatever it is called now; None when it is not here."""
    names = list_datasets()
    wanted = str(run.config["dataset"])
    for name in [wanted] * (wanted in names) + [name for name in names if name != wanted]:
        try:
            dataset = open_dataset(name)
        except BloodappError:
            continue
        if dataset.fingerprint == run.config["fingerprint"]:
            return dataset
    return None


def learned_from(run: Run, own: Dataset, other: Dataset) -> int:
    """How many images of another dataset are, pixel by pixel, among those of its `own` that the run learned from."""
    split = run.split()
    rows = split.loc[split["part"] == "train", "index"].to_numpy()
    return int(other.items["sha256"].isin(set(own.items["sha256"].to_numpy()[rows])).sum())

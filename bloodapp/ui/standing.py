"""How a dataset stands now: what is decided, and what tells its findings and itself from those of a moment ago.

Asked for on every page and many times on some, so it is remembered under the last decision.
"""

from functools import lru_cache

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged, judge, last_seq

FINDINGS = "findings.parquet"
THRESHOLDS = "thresholds.json"


def judged(dataset: Dataset) -> Judged:
    """What remains of a dataset after all decisions; remembered until the next decision."""
    return _judged(dataset.name, identity(dataset), last_seq(dataset))


def findings_stamp(dataset: Dataset) -> int:
    """Changes when the findings or their thresholds do; 0 before the first scan."""
    times = []
    for name in (FINDINGS, THRESHOLDS):
        try:
            times.append((dataset.path / name).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return sum(times) if times[0] else 0


def identity(dataset: Dataset) -> str:
    """What tells this dataset from one of the same name and images imported earlier, or elsewhere."""
    return f"{dataset.path} {dataset.facts.get('imported')} {dataset.fingerprint}"


@lru_cache(maxsize=8)
def _judged(name: str, identity: str, seq: int) -> Judged:
    return judge(open_dataset(name))

"""Which images the last scan has marked, for whoever judges by that: titles and rows, without Review's tables."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError
from bloodapp.review.findings import KINDS
from bloodapp.review.scan import current_findings


def marked(dataset: Dataset) -> Mapping[str, npt.NDArray[np.int64]]:
    """Rows int64 (M,) of the images of each kind of finding, by its title, in Review's order; empty without a scan.

    A damaged table counts as none: Review says so, and a new scan mends it.
    """
    try:
        table = current_findings(dataset)
    except BloodappError:
        return {}
    if table is None:
        return {}
    rows = {
        one.title: table.loc[table["kind"] == kind, "index"].to_numpy(np.int64) for kind, one in KINDS.items()
    }
    return {title: found for title, found in rows.items() if len(found)}

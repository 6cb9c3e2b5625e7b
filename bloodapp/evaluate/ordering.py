"""The order in which classes that are taken for each other stand side by side."""

import numpy as np
import numpy.typing as npt


def by_similarity(matrix: npt.ArrayLike) -> list[int]:
    """Class numbers in an order that brings together what is confused, from a confusion matrix (C, C), rows true.

    The rates of the rows are averaged both ways and taken for likenesses; the classes are clustered by them
    (average linkage) and the leaves of the tree ordered so that neighbours are as alike as they can be
    (Z. Bar-Joseph, D. K. Gifford, T. S. Jaakkola, "Fast optimal leaf ordering for hierarchical clustering",
    Bioinformatics 17, 2001). Of the two directions it is the one that begins with the smaller class number. Classes
    that are never confused stay as they are.
    """
    counts = np.asarray(matrix, np.float64)
    number = len(counts)
    support = counts.sum(1, keepdims=True)
    rates = np.divide(counts, support, out=np.zeros_like(counts), where=support > 0)
    np.fill_diagonal(rates, 0)
    alike = (rates + rates.T) / 2
    if number < 3 or not alike.any():
        return list(range(number))
    from scipy.cluster.hierarchy import leaves_list, linkage  # for this alone

    # The root keeps one large confusion from hiding all others, as the matrix's shades do.
    apart = 1 - np.sqrt(alike / alike.max())
    pairs = apart[np.triu_indices(number, 1)]
    order = [int(k) for k in leaves_list(linkage(pairs, "average", optimal_ordering=True))]
    return order if order[0] < order[-1] else order[::-1]

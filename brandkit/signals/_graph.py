"""From vectors to groups: neighbours within a time window, shared-neighbour weights, communities.

Never connected components: they chain. Nor modularity: its resolution depends on the size of the
whole, so that on a day of mostly singletons it gathers strangers. The constant Potts model asks
the same density of every group, whatever else is in the frame, and here it sees one connected
component at a time, so that what is unconnected cannot move it at all.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import Any

import igraph
import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from brandkit.signals._shingles import overlap, sizes
from brandkit.signals._vectors import unit_rows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

N_NEIGHBOURS = 50
LEAST_COSINE = 0.1
LEAST_WEIGHT = 0.3
# Two short lists agree by chance; each pair is taken to have this many unshared neighbours more.
UNSEEN = 4
RESOLUTION = 0.02
CORE_SIZE = 4
CORE_COSINE, CORE_RESOLUTION = 0.25, 0.15
ATTACH_COSINE = 0.15

_MOST_CELLS = 10_000_000
_SEED = 20261123
# igraph draws from one generator for the whole process.
_GENERATOR = threading.Lock()


@dataclass(frozen=True, slots=True)
class Edges:
    """Undirected edges, each once, ``left`` below ``right``."""

    left: Ints
    right: Ints
    weight: Floats


def communities(vectors: Any, seconds: Floats, *, window_s: float) -> Ints:
    """A group number for each row; rows further apart in time than the window meet only through others.

    ``seconds`` are instants, NaN where unknown: such a row is compared with all.
    """
    edges = shared_neighbours(vectors, seconds, window_s=window_s)
    labels = potts(len(seconds), edges, resolution=RESOLUTION)
    labels = _merge_cores(vectors, seconds, labels, window_s)
    return _attach_small(vectors, seconds, labels, window_s)


def shared_neighbours(vectors: Any, seconds: Floats, *, window_s: float) -> Edges:
    """Edges between neighbours that have neighbours in common, by sqrt(cosine x Jaccard of the lists)."""
    n = len(seconds)
    row, column, cosine = _neighbours(vectors, seconds, window_s)
    lists = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(n, n)) + sparse.identity(
        n, format="csr"
    )
    low, high = np.minimum(row, column), np.maximum(row, column)
    _, first = np.unique(low * n + high, return_index=True)
    low, high, cosine = low[first], high[first], cosine[first]
    shared = overlap(lists, low, high)
    length = sizes(lists)
    jaccard = shared / (length[low] + length[high] - shared + UNSEEN)
    weight = np.sqrt(cosine * jaccard)
    kept = weight >= LEAST_WEIGHT
    return Edges(low[kept], high[kept], weight[kept])


def _neighbours(vectors: Any, seconds: Floats, window_s: float) -> tuple[Ints, Ints, Floats]:
    """Each row's nearest rows within the window, by blocks of time, so that memory stays bounded."""
    order = np.lexsort((np.arange(len(seconds)), seconds))  # NaN sorts last
    when = seconds[order]
    n_dated = int(np.isfinite(when).sum())
    sorted_vectors = vectors[order]
    found = []
    start = 0
    while start < len(order):
        low, high = _reach(when, start, start, n_dated, window_s)
        step = max(1, min(1024, _MOST_CELLS // max(high - low + len(order) - n_dated, 1)))
        stop = min(start + step, n_dated if start < n_dated else len(order))
        low, high = _reach(when, start, stop - 1, n_dated, window_s)
        columns = np.r_[low:high, max(high, n_dated) : len(order)]
        product = (sorted_vectors[start:stop] @ sorted_vectors[columns].T).tocoo()
        row, column = product.row + start, columns[product.col]
        near = (
            ~(np.abs(when[row] - when[column]) > window_s) & (row != column) & (product.data >= LEAST_COSINE)
        )
        found.append(_nearest(order[row[near]], order[column[near]], product.data[near]))
        start = stop
    empty = np.empty(0, dtype=np.int64)
    rows, columns_, cosines = zip(*found, strict=True) if found else ([empty], [empty], [np.empty(0)])
    return np.concatenate(rows), np.concatenate(columns_), np.concatenate(cosines)


def _reach(when: Floats, first: int, last: int, n_dated: int, window_s: float) -> tuple[int, int]:
    if first >= n_dated:
        return 0, len(when)
    dated = when[:n_dated]
    return (
        int(np.searchsorted(dated, when[first] - window_s, side="left")),
        int(np.searchsorted(dated, when[last] + window_s, side="right")),
    )


def _nearest(row: Ints, column: Ints, cosine: Floats) -> tuple[Ints, Ints, Floats]:
    # Rounded, so that the last bit of a sum decides no tie; then the lower row wins.
    order = np.lexsort((column, -np.round(cosine, 6), row))
    row, column, cosine = row[order], column[order], cosine[order]
    starts = np.r_[True, row[1:] != row[:-1]] if len(row) else np.empty(0, dtype=bool)
    position = np.arange(len(row))
    place = position - np.maximum.accumulate(np.where(starts, position, 0)) if len(row) else position
    kept = place < N_NEIGHBOURS
    return row[kept].astype(np.int64), column[kept].astype(np.int64), np.round(cosine[kept], 6)


def potts(n: int, edges: Edges, *, resolution: float) -> Ints:
    """Communities of the constant Potts model, found by Leiden in each connected component apart."""
    adjacency = sparse.csr_matrix((np.ones(len(edges.left)), (edges.left, edges.right)), shape=(n, n))
    _, component = connected_components(adjacency, directed=False)
    labels = np.arange(n)
    order = np.lexsort((edges.right, edges.left, component[edges.left]))
    left, right, weight = edges.left[order], edges.right[order], edges.weight[order]
    for part in np.split(np.arange(len(order)), np.flatnonzero(np.diff(component[left])) + 1):
        if len(part):
            nodes, ends = np.unique(np.stack([left[part], right[part]]), return_inverse=True)
            ends = ends.reshape(2, -1)
            # A group is named for its first row until it gets a story's name.
            group = _leiden(len(nodes), ends.T, weight[part], resolution)
            labels[nodes] = nodes[np.unique(group, return_index=True)[1]][group]
    return labels


def _leiden(n: int, ends: Ints, weight: Floats, resolution: float) -> Ints:
    if n == 2:
        return np.zeros(2, dtype=np.int64) if weight.sum() > resolution else np.arange(2)
    with _GENERATOR:
        igraph.set_random_number_generator(random.Random(_SEED))
        try:
            found = igraph.Graph(n=n, edges=ends).community_leiden(
                objective_function="CPM", weights=weight.tolist(), resolution=resolution, n_iterations=-1
            )
        finally:
            igraph.set_random_number_generator(random)
    group = np.asarray(found.membership, dtype=np.int64)
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Groups:
    """Groups by their lowest row: centroids, sizes and the time each spans."""

    names: Ints
    size: Ints
    centroids: Any
    start: Floats
    end: Floats

    @classmethod
    def of(cls, vectors: Any, seconds: Floats, labels: Ints) -> _Groups:
        names, place = np.unique(labels, return_inverse=True)
        n = len(labels)
        members = sparse.csr_matrix((np.ones(n), (place, np.arange(n))), shape=(len(names), n))
        start, end = np.full(len(names), np.inf), np.full(len(names), -np.inf)
        known = np.isfinite(seconds)
        np.minimum.at(start, place[known], seconds[known])
        np.maximum.at(end, place[known], seconds[known])
        undated = ~np.isfinite(start)
        # A group without a single date may be of any time.
        start[undated], end[undated] = -np.inf, np.inf
        return cls(names, np.bincount(place, minlength=len(names)), unit_rows(members @ vectors), start, end)

    def within(self, left: Ints, right: Ints, window_s: float) -> npt.NDArray[np.bool_]:
        """Whether the two groups' spans come as close as the window."""
        gap = np.maximum(self.start[left], self.start[right]) - np.minimum(self.end[left], self.end[right])
        return np.asarray(gap <= window_s, dtype=np.bool_)


def _merge_cores(vectors: Any, seconds: Floats, labels: Ints, window_s: float) -> Ints:
    """Join groups that say the same: Potts finds the tight cores of a large story one by one."""
    groups = _Groups.of(vectors, seconds, labels)
    cores = np.flatnonzero(groups.size >= CORE_SIZE)
    if len(cores) < 2:
        return labels
    left, right, cosine = _close(groups.centroids, cores, cores, CORE_COSINE)
    kept = (left < right) & groups.within(cores[left], cores[right], window_s)
    merged = potts(len(cores), Edges(left[kept], right[kept], cosine[kept]), resolution=CORE_RESOLUTION)
    names = groups.names.copy()
    names[cores] = groups.names[cores][merged]
    return names[np.searchsorted(groups.names, labels)]


def _attach_small(vectors: Any, seconds: Floats, labels: Ints, window_s: float) -> Ints:
    """Give each small group to the core it is nearest to, if it is near enough."""
    groups = _Groups.of(vectors, seconds, labels)
    cores, small = np.flatnonzero(groups.size >= CORE_SIZE), np.flatnonzero(groups.size < CORE_SIZE)
    left, right, cosine = _close(groups.centroids, small, cores, ATTACH_COSINE)
    kept = groups.within(small[left], cores[right], window_s)
    left, right, cosine = left[kept], right[kept], cosine[kept]
    order = np.lexsort((right, -cosine, left))
    chosen, first = np.unique(left[order], return_index=True)
    names = groups.names.copy()
    names[small[chosen]] = groups.names[cores[right[order][first]]]
    return names[np.searchsorted(groups.names, labels)]


def _close(centroids: Any, left: Ints, right: Ints, least: float) -> tuple[Ints, Ints, Floats]:
    """Pairs of positions in ``left`` and ``right`` whose centroids' cosine reaches ``least``."""
    step = max(1, _MOST_CELLS // max(len(right), 1))
    rows, columns, cosines = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for start in range(0, len(left) if len(right) else 0, step):
        product = (centroids[left[start : start + step]] @ centroids[right].T).tocoo()
        near = product.data >= least
        rows.append(product.row[near].astype(np.int64) + start)
        columns.append(product.col[near].astype(np.int64))
        cosines.append(np.round(product.data[near], 6))
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(cosines)

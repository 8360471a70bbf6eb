"""Writes Tests/EspalierRedundancyTests/Fixtures/average_linkage.npz: what SciPy's average linkage makes of distances.

For each case: `N/distances` [n, n], `N/heights` [n - 1] of the merges, and for each threshold of `N/thresholds` a row of
`N/labels`, in which items of a cluster share a number.
"""

import pathlib

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/EspalierRedundancyTests/Fixtures/average_linkage.npz"
THRESHOLDS = np.array([0.02, 0.1, 0.3, 0.5, 0.9])


def cases(random):
    """Distances 1 - abs(correlation) of clustered and of unrelated variables."""
    for items, sources, noise in [(2, 1, 0.1), (7, 2, 0.3), (20, 5, 0.4), (40, 8, 0.8), (25, 25, 0.0)]:
        base = random.standard_normal((300, sources))
        signs = random.choice([-1.0, 1.0], items)
        values = base[:, random.integers(0, sources, items)] * signs
        values = values + noise * random.standard_normal(values.shape)
        if noise == 0:
            values = random.standard_normal((300, items))
        distances = 1 - np.abs(np.corrcoef(values.T))
        np.fill_diagonal(distances, 0)
        yield (distances + distances.T) / 2


def main():
    arrays = {}
    for number, distances in enumerate(cases(np.random.default_rng(7))):
        tree = linkage(squareform(distances, checks=False), "average")
        arrays[f"{number}/distances"] = distances
        arrays[f"{number}/heights"] = tree[:, 2]
        arrays[f"{number}/thresholds"] = THRESHOLDS
        arrays[f"{number}/labels"] = np.stack(
            [fcluster(tree, threshold, "distance").astype(np.int64) for threshold in THRESHOLDS]
        )
    np.savez_compressed(OUTPUT, **arrays)


if __name__ == "__main__":
    main()

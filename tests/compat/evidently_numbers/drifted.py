"""The tables of which Evidently's numbers are kept: flights of the repository, and columns by formula."""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

DATA = Path(__file__).parents[3] / "examples" / "data"
METHODS = ("psi", "kl_div", "jensenshannon", "wasserstein", "ks")


@cache
def flights(rows):
    """The first rows of either season."""
    names = ["temp", "dep_delay", "air_time", "distance", "hour", "carrier", "origin", "cancelled"]
    paths = (DATA / f"flights_{season}.parquet" for season in ("winter", "summer"))
    return [pq.read_table(path, columns=names)[:rows] for path in paths]


@cache
def made(n, m):
    """Columns of every kind that a rule asks for."""
    return [_made(n, 0), _made(m, 1)]


def _made(n, side):
    i = np.arange(n)
    mixed = (i * 2654435761 + side * 97) % 4093  # a permutation of what follows, the same everywhere
    x = mixed / 4093
    return {
        "uniform": x**1.1 if side else x,
        "tails": np.tan(3.0 * (x - 0.5)) * (1.2 if side else 1.0),
        "holes": np.where(mixed % 11 == 0, np.nan, x * 7),
        "ages": 18 + mixed % 60 + side,
        "tiny": x * 1e-7,
        "few": (mixed % 4).astype(float),
        "two": (mixed % 2).astype(float),
        "stars": mixed % 5 + 1,
        "eleven": mixed % 11,
        "flag": mixed % (3 + side) == 0,
        "word": np.array(list("abcd"))[mixed % (3 + side)],
        "one": np.array(["same"] * n),
        "rare": np.array(["often", "seldom", "never"])[(mixed % 300 == 0) + (mixed % 1000 == 7) * (1 - side)],
    }


TABLES = {
    "flights": lambda: flights(12_000),
    "some flights": lambda: flights(800),
    "made": lambda: made(2500, 1800),
    "made small": lambda: made(900, 1300),
    "made long": lambda: made(700, 10_500),
}

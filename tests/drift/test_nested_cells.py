"""Cells of ascending values by the compiled pass against their definition, value by value."""

from collections import defaultdict

import numpy as np
import pytest

from fastdiv.drift.cells import LAST_K, Cells, keys_of

rng = np.random.default_rng(11)
SAMPLES = {
    "normal": rng.normal(size=777),
    "ties": rng.integers(-9, 9, 501) / 4,
    "all sizes": np.ldexp(rng.normal(size=333), rng.integers(-1070, 1000, 333)),
    "subnormal": np.arange(-40, 41) * 5e-324,
    "ends": np.array([-np.inf, -np.inf, -1.0, 0.0, 1.0, np.inf]),
    "one": np.array([3.5]),
    "whole": rng.integers(-(2**60), 2**60, 99),
}


@pytest.mark.parametrize("k", [0, 1, 25, 26, 27, 40, LAST_K])
@pytest.mark.parametrize("name", SAMPLES)
def test_each_cell_holds_what_its_values_say(name, k):
    x = np.sort(SAMPLES[name]) + 0
    held = defaultdict(list)
    for key in keys_of(x).tolist():
        held[key >> k].append(key)
    cells = Cells.each(x, k)
    assert cells.keys.tolist() == sorted(held)
    inner = (1 << k) - 1
    for i, key in enumerate(sorted(held)):
        low, high = cells.low[i].item(), cells.high[i].item()
        assert cells.counts[i] == len(held[key])
        assert low < 1 << 26
        assert (high << 26) + low == sum(each & inner for each in held[key])
        assert (cells.first[i], cells.last[i]) == (min(held[key]), max(held[key]))

"""The loop of PyTorch on the page of how-tos, run as it stands there.

Run by ``make test-torch``, in an environment that has PyTorch.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import fastdiv

torch = pytest.importorskip("torch")


def test_the_loop_of_the_how_to_learns():
    page = (Path(__file__).parents[2] / "docs" / "howto.md").read_text()
    (loop,) = re.findall(r"```python\n(import fastdiv\.torch\n.*?)```", page, re.DOTALL)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 5))
    p = np.exp(x @ rng.normal(size=(5, 4)))  # the model can be right
    p /= p.sum(1, keepdims=True)
    torch.manual_seed(1)
    model = torch.nn.Linear(5, 4, dtype=torch.float64)
    names = {
        "batches": [(torch.from_numpy(x[i::3]), torch.from_numpy(p[i::3])) for i in range(3)] * 200,
        "model": model,
        "optimiser": torch.optim.Adam(model.parameters(), lr=0.05),
    }
    exec(loop, names)
    with torch.no_grad():
        reached = fastdiv.cross_entropy(p, model(torch.from_numpy(x)).numpy(), log_input="q").mean()
    assert abs(reached - fastdiv.entropy(p).mean()) < 1e-6
    assert names["loss"].item() < np.log(4)

"""``make count``: instructions of each kernel per 1000 bins, counted by valgrind, against bench/counts.json.

Times cannot be held on a shared machine, counts can. On avx2, the widest that valgrind knows. ``os.getppid``
cuts the count into parts: callgrind writes one whenever it is entered. ``--write`` stores what was counted;
another compiler counts otherwise, hence the tolerance.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
STORED = ROOT / "bench" / "counts.json"
TOLERANCE = 0.15
CODE = """
import gc
import os
import numpy as np
import fastdiv
gc.disable()  # a collection counts as instructions of whichever kernel it falls into
r = np.random.default_rng(0)
p, q = r.dirichlet(np.ones(500), size=(2, 40))
A, B = r.dirichlet(np.ones(256), size=(2, 24))
u, v = r.normal(size=(2, 20_000))
rows = ("entropy", "kl_divergence", "jeffreys_divergence", "js_distance", "total_variation",
    "hellinger_distance", "chi_square", "triangular_discrimination")
work = {name: (getattr(fastdiv, name), (p,) if name == "entropy" else (p, q), {}, p.size) for name in rows}
for metric in ("kl_divergence", "js_distance", "wasserstein"):
    work["cdist " + metric] = fastdiv.cdist, (A, B), {"metric": metric}, A.size * len(B)
work["W1"] = fastdiv.wasserstein_distance, (u, v), {}, 2 * u.size
for f, args, options, _ in work.values():
    f(*args, **options)
    os.getppid()
    f(*args, **options)
    os.getppid()
print(*(f"{name}={bins}" for name, (*_, bins) in work.items()), sep=";")
"""


def counted() -> dict[str, int]:
    """Instructions per 1000 bins (of cdist: bins of pairs; of W1: samples), the call and all."""
    settings = {
        "FASTDIV_ISA": "avx2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }
    # NumPy's AVX-512 loops are no more known to valgrind than ours
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory() as folder:
        tool = ["valgrind", "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={folder}/out"]
        done = subprocess.run(
            [*tool, sys.executable, "-c", CODE],
            env={**os.environ, **settings, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"count: valgrind failed\n{done.stderr[-2000:]}")
        found = {}
        for number, item in enumerate(done.stdout.strip().split(";"), 1):
            name, bins = item.split("=")
            text = Path(folder, f"out.{2 * number}").read_text()
            total = int(re.search(r"^totals: (\d+)", text, re.MULTILINE)[1])
            found[name] = round(1000 * total / int(bins))
    return found


def beyond(found: dict[str, int], stored: dict[str, int]) -> list[str]:
    """What takes more instructions than is stored, beyond the tolerance; and what is on one side only."""
    odd = sorted(found.keys() ^ stored.keys())
    more = [name for name in found if name in stored and found[name] > stored[name] * (1 + TOLERANCE)]
    return [*(f"{name}: not on both sides" for name in odd)] + [
        f"{name}: {found[name]} instructions per 1000 bins, {stored[name]} are stored" for name in more
    ]


def main() -> int:
    if not shutil.which("valgrind"):
        print("count: valgrind is not installed, nothing was counted (apt-get install valgrind)")
        return 0
    from fastdiv import _core

    if "avx2" not in _core.isa_levels():
        print("count: this CPU has no avx2, nothing was counted")
        return 0
    found = counted()
    if "--write" in sys.argv[1:]:
        STORED.write_text(json.dumps(found, indent=1) + "\n")
    stored = json.loads(STORED.read_text())
    for name, count in found.items():
        print(f"{name:28}{count:10}{stored.get(name, 0):10}")
    worse = beyond(found, stored)
    for line in worse:
        print(f"count: {line}", file=sys.stderr)
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())

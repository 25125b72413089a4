"""Benchmarks: who takes how long for the same answer. ``python -m bench`` prints the table of ratios.

``race.py`` is the harness (one clock, one check, one report), ``contestants.py`` all who run,
``expressions.py`` what NumPy's users write, ``workloads.py`` the arrays. ``rows``, ``matrix``, ``transport``,
``startup`` and ``corners`` are lists of cases.
"""

import os

# Peers run on one thread, as we do. (OpenBLAS also spins on after a product, and a clock of CPU time would
# charge that to whoever comes next.)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

SUITES = ("rows", "matrix", "transport", "startup", "corners")

"""Benchmarks: who takes how long for the same answer. ``python -m bench`` prints the table of ratios."""

import os

# Peers run on one thread, as we do. (OpenBLAS also spins on after a product, and a clock of CPU time would
# charge that to whoever comes next.)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

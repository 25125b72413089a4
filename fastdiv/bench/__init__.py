"""``fastdiv bench``: who takes how long for the same answer, on the machine that asks.

``race.py`` is the clock: answers first, then rounds in turn. ``contestants.py``: all who run;
``expressions.py``: what NumPy's users write; ``workloads.py``: the arrays. The groups are lists of cases, one
file each. ``session.py`` runs them into a document (``record.py``: its form, which pytest-benchmark reads;
``machine.py``: where it was measured), and everything that is shown is made of the document alone:
``tables.py``; ``verdicts.py`` against an earlier one. Nothing is imported here: help is instant.
"""

GROUPS = {
    "everyday": "the shapes that people have, and what is to be reached there",
    "rows": "measures row by row",
    "gradients": "values with their gradients, row by row",
    "matrix": "many against many, and nearest neighbours",
    "transport": "samples on a line",
    "drift": "tables, baselines and pages",
    "sweeps": "bins, rows, samples and ties from few to many",
    "limits": "beside a copy, a logarithm, a product and a sort of the same data",
    "threads": "all threads against one",
    "startup": "import and first call",
    "memory": "what a call needs beside its arguments",
    "corners": "where it could hurt: lesser instruction sets, dtypes, orders",
}

"""Benchmarks: who takes how long for the same answer. ``python -m bench`` prints the table of ratios."""

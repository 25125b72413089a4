"""``python -m bench [SUITE ...] [--quick]``: the suites named, or all; quick: each case at a tenth."""

import argparse
from importlib import import_module

from bench import SUITES
from bench.race import report

parser = argparse.ArgumentParser(
    prog="python -m bench", description="Ratios against peers, interleaved in one run."
)
parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)}, or all (the default)")
parser.add_argument("--quick", action="store_true", help="every case at a tenth of its size")
options = parser.parse_args()
unknown = sorted(set(options.suites) - {*SUITES, "all"})
if unknown:
    parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(SUITES)}, all")
wanted = SUITES if not options.suites or "all" in options.suites else dict.fromkeys(options.suites)
scale = 0.1 if options.quick else 1.0
report({name: import_module(f"bench.{name}").cases(scale) for name in wanted}, seconds=scale)

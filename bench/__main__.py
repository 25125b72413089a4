"""``python -m bench [rows] [startup] ...``: all suites, or those named."""

import sys
from importlib import import_module
from pathlib import Path

NOT_SUITES = {"__init__", "__main__", "contestants", "race", "workloads"}
SUITES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in NOT_SUITES and not path.stem.startswith("test_")
)

wanted = sys.argv[1:] or SUITES
unknown = set(wanted) - set(SUITES)
if unknown:
    sys.exit(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
sys.argv[1:] = []  # a suite run by itself may have options of its own
for name in wanted:
    print(f"== {name} ==")
    import_module(f"bench.{name}").main()
    print()

"""``python -m fastdiv`` is the ``fastdiv`` command."""

from fastdiv.cli import main

raise SystemExit(main())

# Compiled (csrc/rows/_gradients.pyx); its callers check what comes back.
from typing import Any

def __getattr__(name: str) -> Any: ...

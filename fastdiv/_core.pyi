# Compiled (csrc/core/_core.pyx); its callers check what comes back.
from typing import Any

def __getattr__(name: str) -> Any: ...

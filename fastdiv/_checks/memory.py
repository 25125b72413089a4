"""How much memory is left, asked before a large result is made: the kernel would grant it, and kill us."""

from __future__ import annotations

from typing import Any

__all__ = ["available_memory", "require_memory"]


SMALL = 16 << 20  # bytes that are not worth asking the kernel about: it takes a quarter of a millisecond


def _number(path: str) -> int | None:
    try:
        with open(path) as file:
            return int(file.read())
    except (OSError, ValueError):  # no such file, or "max"
        return None


def available_memory() -> int | None:
    """Bytes that can still be had: the kernel's estimate, or what the cgroup leaves if that is less."""
    available: int | None = None
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    available = int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    for limit_file, usage_file in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        limit, usage = _number(limit_file), _number(usage_file)
        if limit is not None and usage is not None and available is not None:
            available = min(available, max(0, limit - usage))
    return available


def require_memory(size: int, shape: tuple[int, ...], dtype: Any) -> None:
    """MemoryError, before any work, for a result that cannot fit."""
    if size < SMALL:
        return
    available = available_memory()
    if available is None or size <= available:
        return
    raise MemoryError(
        f"the result of shape {shape} and dtype {dtype} takes {size / 2**30:.1f} GiB, but "
        f"{available / 2**30:.1f} GiB are free; pass a np.memmap as out=, or take the nearest rows only (knn)"
    )

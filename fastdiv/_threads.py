"""How many threads, how a long pass hears Ctrl-C, and what this build is."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

__all__ = ["num_threads", "set_num_threads", "show_config"]

MOST = 1024  # threads, whatever is asked for
MANY = 1 << 20  # numbers, during whose passes Ctrl-C is to be heard
SOME = 1 << 13  # numbers of Python's, after which a pass that nobody waits for ends


def _cpu_quota() -> int:
    """The CPUs that cgroups grant this process, 0 where they say nothing."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:  # cgroup v2
            quota, period = file.read().split()
    except (OSError, ValueError):
        try:
            with open("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") as file:  # cgroup v1
                quota = file.read().strip()
            with open("/sys/fs/cgroup/cpu/cpu.cfs_period_us") as file:
                period = file.read().strip()
        except OSError:
            return 0
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return 0
    return max(1, -int(-share // 1)) if share > 0 else 0


def default_limit() -> int:
    """What OpenMP does not know: the cgroup's quota. OMP_NUM_THREADS is the user's word and stands.

    Not where it is no number (libgomp takes no notice then either), nor beyond 1024: all would be started.
    """
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if not (first.isascii() and first.isdigit() and int(first)):
        return _cpu_quota()
    return MOST if int(first) > MOST else 0


def hears_signals() -> bool:
    """Whether signals come to the calling thread: Python's main one."""
    import threading

    return threading.current_thread() is threading.main_thread()


def interruptibly(work: Callable[..., Any], *given: Any) -> Any:
    """``work(*given)``, one long pass, on a thread of its own, while the main thread, hears signals.

    After Ctrl-C nobody waits for it: it ends with its pass, and keeps its arrays until then.
    """
    import contextvars
    import threading

    import numpy as np

    from fastdiv import _core

    how: dict[str, Any] = {"call": np.geterrcall(), **np.geterr()}
    settings = np.errstate(**how)  # until NumPy 2 these are a thread's, not a context's
    most = _core.openmp_threads()
    ended: list[tuple[Any, BaseException | None]] = []

    def run(ended: list[tuple[Any, BaseException | None]]) -> None:
        _core.openmp_here(most)  # a thread begins with OpenMP's own number
        try:
            with settings:
                ended.append((context.run(work, *given), None))
        except BaseException as error:
            ended.append((None, error))
            del ended  # the error's traceback leads to this frame: a cycle would keep what was given

    context = contextvars.copy_context()
    thread = threading.Thread(target=run, args=(ended,), name="fastdiv", daemon=True)
    try:
        thread.start()
        thread.join()
    except BaseException as stop:
        if isinstance(stop, RuntimeError) and thread.ident is None:  # no thread is to be had
            return work(*given)
        thread.given_up = True  # type: ignore[attr-defined]
        raise
    ((result, error),) = ended
    if error is None:
        return result
    try:
        raise error
    finally:
        ended.clear()  # and to this one
        error, given = None, ()


def heard(n: int, work: Callable[..., Any], *given: Any) -> Any:
    """``work(*given)`` over n numbers: `interruptibly` where they are many."""
    return interruptibly(work, *given) if n > MANY and hears_signals() else work(*given)


def heed() -> None:
    """Ends what `interruptibly` began and nobody waits for."""
    import threading

    if getattr(threading.current_thread(), "given_up", False):
        raise KeyboardInterrupt


def num_threads() -> int:
    """The most threads that a call made from here would use.

    Small work is done on one thread whatever this says.

    Returns
    -------
    int
        What ``set_num_threads`` said, else OpenMP's number (``OMP_NUM_THREADS``, the CPUs this process may
        run on) or the cgroup's CPU quota if that is less. ``threadpoolctl``'s limit
        counts too where it lowers OpenMP's number. 1 in
        a forked child, where libgomp's threads are gone, and in a serial build.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.num_threads() >= 1
    True
    """
    from fastdiv import _core

    return int(_core.max_threads())


def set_num_threads(n: int | None) -> None:
    """Let calls use up to ``n`` threads; None goes back to the default. Results do not depend on it.

    Parameters
    ----------
    n : int or None
        At least 1.

    Raises
    ------
    TypeError, ValueError
        For anything but None or a positive integer.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.set_num_threads(1)
    >>> fastdiv.num_threads()
    1
    >>> fastdiv.set_num_threads(None)
    """
    from fastdiv import _core

    if n is None:
        _core.limit_threads(default_limit(), 0)
        return
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"the number of threads must be an integer, not {n!r}")
    n = n.__index__()
    if n < 1:
        raise ValueError(f"the number of threads must be at least 1, not {n}")
    _core.limit_threads(min(n, MOST), int(_core.openmp_threads()))


def show_config() -> None:
    """Print what this build is and runs on: instruction set, OpenMP, threads, versions.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.show_config()  # doctest: +SKIP
    fastdiv      0.2.0
    instructions avx512 (this CPU has base, avx2, avx512)
    OpenMP       yes (201511)
    threads      2
    python       3.11.7
    numpy        2.4.6
    """
    import platform

    import numpy as np

    from fastdiv import _core
    from fastdiv._version import __version__

    openmp = _core.openmp()
    lines = {
        "fastdiv": __version__,
        "instructions": f"{_core.isa()} (this CPU has {', '.join(_core.isa_levels())})",
        "OpenMP": f"yes ({openmp})" if openmp else "no",
        "threads": num_threads(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    for name, value in lines.items():
        print(f"{name:<12} {value}")

# What a process has one of (core.h): the instruction set in use, the thread limit, the mark of a forked child.
#
# The other extensions attach to it (core.pxd); it knows none of them, and no NumPy.

import os

from core cimport (
    CORE,
    fd_choose_isa,
    fd_core_open,
    fd_has_openmp,
    fd_here,
    fd_isa_level,
    fd_max_threads,
    fd_openmp_here,
    fd_openmp_threads,
    fd_shortages,
)
from cpython.pycapsule cimport PyCapsule_New

fd_core_open()
core = PyCapsule_New(fd_here, CORE, NULL)


def isa():
    """The instruction-set level in use."""
    return fd_here.kernels.name.decode()


def isa_levels():
    """The levels that this CPU has, slowest first."""
    levels, i = [], 0
    while fd_isa_level(i) != NULL:
        levels.append(fd_isa_level(i).decode())
        i += 1
    return tuple(levels)


def choose_isa(name=None, said="isa"):
    """Take a level for all calls from now on; None is the best this CPU has. Not while others compute."""
    cdef int status = fd_choose_isa(NULL) if name is None else fd_choose_isa(name.encode())
    if status:
        trouble = "is not a level" if status == 1 else "is not available on this CPU"
        raise ValueError(f"{said}={name!r} {trouble}; this CPU has {', '.join(isa_levels())}")


def limit_threads(int limit, int openmp_then):
    """Use at most `limit` threads (0: as many as OpenMP says). If the limit is the user's own number,
    `openmp_then` is what OpenMP said when he set it, else 0."""
    fd_here.thread_limit, fd_here.openmp_then = limit, openmp_then


def shortages():
    """How often a row became NaN because memory was short."""
    return fd_shortages()


def openmp_threads():
    return fd_openmp_threads()


def openmp_here(int n):
    """Lower OpenMP's number for the calling thread alone, as a task does that shares its CPUs; what it was."""
    return fd_openmp_here(n)


def max_threads():
    return fd_max_threads()


def openmp():
    """The date of the OpenMP standard (201511 is 4.5), or 0 for a serial build."""
    return fd_has_openmp()


try:
    choose_isa(os.environ.get("FASTDIV_ISA") or None, "FASTDIV_ISA")
except ValueError as error:
    raise ImportError(str(error)) from None

from fastdiv._threads import default_limit  # noqa: E402

limit_threads(default_limit(), 0)

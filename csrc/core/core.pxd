# What Cython sees of core.h, and how an extension attaches to the state of the process: as it is imported,
# before it does anything else.

from cpython.pycapsule cimport PyCapsule_GetPointer

cdef extern from "core/core.h" nogil:
    ctypedef struct fd_kernels:
        const char *name
    ctypedef struct fd_core:
        const fd_kernels *kernels
        int thread_limit, openmp_then, forked
    fd_core *fd_here
    void *fd_needed(void *memory)
    unsigned fd_shortages()
    int fd_openmp_threads()
    int fd_openmp_here(int n)
    int fd_max_threads()
    int fd_team(double nanoseconds, double items)
    int fd_has_openmp()
    void fd_core_open()
    int fd_choose_isa(const char *name)
    const char *fd_isa_level(int i)

cdef extern from *:
    """
    #define FD_CORE_CAPSULE "fastdiv._core.core"
    """
    const char *CORE "FD_CORE_CAPSULE"


cdef inline int attach() except -1:
    global fd_here
    from fastdiv import _core

    fd_here = <fd_core *>PyCapsule_GetPointer(_core.core, CORE)
    return 0

/* What a process has one of: the loops in use, the thread limit, the mark of a forked child.
 *
 * It lives in the extension _core (core.c), which alone links the loops of every instruction set. The other
 * extensions link client.c and attach to it as they are imported (core.pxd), so a limit or a level set once
 * holds for all of them, and a child knows that it was forked whatever it imports first.
 *
 * libgomp hangs in a child that was forked after a parallel region of the parent, so a forked child runs
 * serially: the bits are the same.
 */
#ifndef FD_CORE_H
#define FD_CORE_H

#include "core/kernels.h"

#ifdef _OPENMP
#    include <omp.h>
#endif

typedef struct {
    const fd_kernels *kernels; /* the loops in use */
    int thread_limit;          /* set_num_threads, or the CPUs we may use; 0: as many as OpenMP says */
    int openmp_then;           /* what OpenMP said when the user set the limit; 0 if he did not */
    int forked;
    _Atomic unsigned shortages; /* how often memory was short where a row cannot do without */
} fd_core;

extern fd_core *fd_here;

/* Memory that a row cannot do without: it becomes NaN, and the door, which has seen the count rise, raises. */
static inline void *fd_needed(void *memory) {
    if (!memory)
        fd_here->shortages++;
    return memory;
}

static inline unsigned fd_shortages(void) { return fd_here->shortages; }

/* What OpenMP says: OMP_NUM_THREADS, the CPUs of this process, or what threadpoolctl made of it. */
static inline int fd_openmp_threads(void) {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

/* Sets that number for regions that the calling thread begins from now on; returns what it was. */
static inline int fd_openmp_here(int n) {
    int before = fd_openmp_threads();
#ifdef _OPENMP
    omp_set_num_threads(n);
#else
    (void)n;
#endif
    return before;
}

static inline int fd_max_threads(void) {
#ifdef _OPENMP
    int now = fd_openmp_threads(), limit = fd_here->thread_limit, then = fd_here->openmp_then;
    if (fd_here->forked || omp_in_parallel())
        return 1;
    if (limit == 0 || (then == 0 && now < limit))
        return now;
    /* OpenMP's number has been lowered since the user spoke (threadpoolctl): that counts too */
    return now < then && now < limit ? now : limit;
#else
    return 1;
#endif
}

/* Threads for `items` independent pieces of together `nanoseconds`: one for each 40 us, since waking a team
 * costs some 5 to 30. */
static inline int fd_team(double nanoseconds, double items) {
    double worth = nanoseconds / 40e3, most = fd_max_threads();
    worth = worth < items ? worth : items;
    worth = worth < most ? worth : most;
    return worth < 2.0 ? 1 : (int)worth;
}

static inline int fd_has_openmp(void) {
#ifdef _OPENMP
    return _OPENMP;
#else
    return 0;
#endif
}

/* ---- _core alone ---- */

/* Has forked children marked. */
void fd_core_open(void);
/* NULL takes the best level this CPU has; a name forces one. 0, 1 for an unknown name, 2 for one that this CPU
 * lacks. */
int fd_choose_isa(const char *name);
/* The i-th level that this CPU has, slowest first, or NULL past the last. */
const char *fd_isa_level(int i);

#endif

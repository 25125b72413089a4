/* How many threads a piece of work gets. Each extension links threads.c and so keeps a limit of its own;
 * fastdiv/_threads.py sets them together.
 *
 * libgomp hangs in a child that was forked after a parallel region of the parent, so a forked child runs
 * serially: the bits are the same.
 */
#ifndef FD_THREADS_H
#define FD_THREADS_H

#ifdef _OPENMP
#    include <omp.h>
#endif

extern int fd_thread_limit; /* set_num_threads, or the CPUs we may use; 0: as many as OpenMP says */
extern int fd_openmp_then;  /* what OpenMP said when the user set the limit; 0 if he did not */
extern int fd_forked;

void fd_threads_init(void);

/* What OpenMP says: OMP_NUM_THREADS, the CPUs of this process, or what threadpoolctl made of it. */
static inline int fd_openmp_threads(void) {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

static inline int fd_max_threads(void) {
#ifdef _OPENMP
    int now = fd_openmp_threads();
    if (fd_forked || omp_in_parallel())
        return 1;
    if (fd_thread_limit == 0 || (fd_openmp_then == 0 && now < fd_thread_limit))
        return now;
    /* OpenMP's number has been lowered since the user spoke (threadpoolctl): that counts too */
    return now < fd_openmp_then && now < fd_thread_limit ? now : fd_thread_limit;
#else
    return 1;
#endif
}

static inline void fd_limit_threads(int limit, int openmp_then) {
    fd_thread_limit = limit;
    fd_openmp_then = openmp_then;
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

#endif

/* How many threads a piece of work gets. Included by each extension, which keeps a limit of its own;
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
#ifndef _WIN32
#    include <pthread.h>
#endif

static int fd_thread_limit = 0;   /* set_num_threads, or the CPUs we may use; 0: as many as OpenMP says */
static int fd_limit_is_asked = 0; /* 1 if the limit is the user's own word */
static int fd_threads_at_start = 1;
static int fd_forked = 0;

static inline void fd_in_child(void) { fd_forked = 1; }

static inline int fd_max_threads(void) {
#ifdef _OPENMP
    int now = omp_get_max_threads();
    if (fd_forked || omp_in_parallel())
        return 1;
    if (fd_thread_limit == 0)
        return now;
    /* OpenMP's own number is lowered by threadpoolctl: then it counts whatever the user said before */
    return fd_limit_is_asked && now >= fd_threads_at_start ? fd_thread_limit
           : now < fd_thread_limit                         ? now
                                                           : fd_thread_limit;
#else
    return 1;
#endif
}

static inline void fd_threads_init(void) {
#ifdef _OPENMP
    fd_threads_at_start = omp_get_max_threads();
#endif
#ifndef _WIN32
    pthread_atfork(NULL, NULL, fd_in_child);
#endif
}

static inline void fd_limit_threads(int limit, int asked) {
    fd_thread_limit = limit;
    fd_limit_is_asked = asked;
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

/* The state behind threads.h. */
#include "core/threads.h"

#ifndef _WIN32
#    include <pthread.h>
#endif

int fd_thread_limit = 0, fd_openmp_then = 0, fd_forked = 0;

#ifndef _WIN32
static void fd_in_child(void) { fd_forked = 1; }
#endif

void fd_threads_init(void) {
#ifndef _WIN32
    pthread_atfork(NULL, NULL, fd_in_child);
#endif
}

/* The one state of the process (core.h), and the choice of a level: the best of this CPU, or one by name. */
#include <string.h>

#include "core/core.h"

#ifndef _WIN32
#    include <pthread.h>
#endif

static fd_core fd_state = {.kernels = &fd_kernels_base};
fd_core *fd_here = &fd_state;

#ifndef _WIN32
static void fd_in_child(void) { fd_state.forked = 1; }
#endif

void fd_core_open(void) {
#ifndef _WIN32
    pthread_atfork(NULL, NULL, fd_in_child);
#endif
}

enum { FD_LEVELS = 3 };

static const fd_kernels *fd_level(int i) {
#ifdef FD_X86
    static const fd_kernels *const levels[FD_LEVELS] = {&fd_kernels_base, &fd_kernels_avx2,
                                                        &fd_kernels_avx512};
    __builtin_cpu_init();
    if (i == 1 &&
        !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")))
        return NULL;
    if (i == 2 && !(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")))
        return NULL;
    return i < FD_LEVELS ? levels[i] : NULL;
#else
    return i == 0 ? &fd_kernels_base : NULL;
#endif
}

const char *fd_isa_level(int i) { return fd_level(i) ? fd_level(i)->name : NULL; }

int fd_choose_isa(const char *name) {
    if (name == NULL) {
        for (int i = 0; i < FD_LEVELS && fd_level(i); i++)
            fd_state.kernels = fd_level(i);
        return 0;
    }
    for (int i = 0; i < FD_LEVELS; i++)
        if (fd_level(i) && strcmp(name, fd_level(i)->name) == 0) {
            fd_state.kernels = fd_level(i);
            return 0;
        }
    return strcmp(name, "base") == 0 || strcmp(name, "avx2") == 0 || strcmp(name, "avx512") == 0 ? 2 : 1;
}

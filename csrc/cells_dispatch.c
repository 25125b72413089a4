/* Picks the passes for this CPU, once, or those that were asked for by name. */
#include <string.h>

#include "cells_isa.h"

const fd_passes *fd_passes_now = &fd_passes_base;

enum { FD_LEVELS = 3 };

static const fd_passes *fd_level(int i) {
#ifdef FD_X86
    static const fd_passes *const levels[FD_LEVELS] = {&fd_passes_base, &fd_passes_avx2, &fd_passes_avx512};
    __builtin_cpu_init();
    if (i == 1 &&
        !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")))
        return NULL;
    if (i == 2 && !(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")))
        return NULL;
    return levels[i];
#else
    return i == 0 ? &fd_passes_base : NULL;
#endif
}

int fd_choose_passes(const char *name) {
    for (int i = 0; i < FD_LEVELS; i++)
        if (fd_level(i) && (!name || strcmp(name, fd_level(i)->name) == 0)) {
            fd_passes_now = fd_level(i);
            if (name)
                return 0;
        }
    if (!name)
        return 0;
    return strcmp(name, "base") == 0 || strcmp(name, "avx2") == 0 || strcmp(name, "avx512") == 0 ? 2 : 1;
}

/* The one state of the process (core.h), and the choice of a level: the best of this CPU, or one by name. */
#ifdef __linux__
#    define _GNU_SOURCE /* dladdr, dl_iterate_phdr */
#    include <dlfcn.h>
#    include <link.h>
#endif
#include <stdio.h>
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

#if defined(__linux__) && defined(_OPENMP)
/* Whether this process was forked and has not become another program since: PF_FORKNOEXEC in the ninth field. */
static int fd_is_forked(void) {
    char line[512];
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file)
        return 0;
    const size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = 0;
    const char *name_ends = strrchr(line, ')');
    unsigned flags = 0;
    return name_ends && sscanf(name_ends + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & 0x40);
}

typedef struct {
    const char *ours, *openmp; /* files: this extension, and OpenMP's library */
    size_t folder;             /* what names of our extensions have in common */
} fd_loaded;

/* Libraries come in the order in which they were loaded. 1: OpenMP's before any of ours; 2: one of ours. */
static int fd_which_first(struct dl_phdr_info *info, size_t size, void *asked) {
    const fd_loaded *x = asked;
    (void)size;
    if (strcmp(info->dlpi_name, x->openmp) == 0)
        return 1;
    return strncmp(info->dlpi_name, x->ours, x->folder) == 0 ? 2 : 0;
}

/* Whether another library has brought OpenMP's, in whose parent it may have begun its threads. */
static int fd_was_openmp_here(void) {
    Dl_info ours, openmp;
    if (!dladdr((void *)&fd_state, &ours) || !dladdr((void *)omp_get_max_threads, &openmp) ||
        !ours.dli_fname || !openmp.dli_fname)
        return 0;
    const char *slash = strrchr(ours.dli_fname, '/');
    fd_loaded x = {ours.dli_fname, openmp.dli_fname, slash ? (size_t)(slash + 1 - ours.dli_fname) : 0};
    return dl_iterate_phdr(fd_which_first, &x) == 1;
}
#endif

void fd_core_open(void) {
#ifndef _WIN32
    pthread_atfork(NULL, NULL, fd_in_child);
#endif
#if defined(__linux__) && defined(_OPENMP)
    if (fd_is_forked() && fd_was_openmp_here()) /* forked before this was loaded */
        fd_state.forked = 1;
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

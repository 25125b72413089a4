/* Loaded ahead of the C library: the k-th allocation that fastdiv's own extensions ask for fails, once.
 * All that they have asked for and not given back is counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

enum { MOST = 4096 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int armed;
static long left, failed, held;
static void *given[MOST];

void fd_arm(long k) {
    left = k;
    failed = held = 0;
    memset(given, 0, sizeof given);
    armed = 1;
}

/* Whether an allocation has failed; `*kept`: how many were not freed. */
long fd_disarm(long *kept) {
    armed = 0;
    *kept = held;
    return failed;
}

static int is_ours(void *caller) {
    Dl_info info;
    return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "/fastdiv/_");
}

static int fails(void) {
    pthread_mutex_lock(&lock);
    int now = --left == 0;
    failed |= now;
    pthread_mutex_unlock(&lock);
    return now;
}

static void *noted(void *memory) {
    pthread_mutex_lock(&lock);
    for (int i = 0; memory && i < MOST; i++)
        if (!given[i]) {
            given[i] = memory;
            held++;
            break;
        }
    pthread_mutex_unlock(&lock);
    return memory;
}

static void forgotten(void *memory) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST; i++)
        if (given[i] == memory) {
            given[i] = NULL;
            held--;
            break;
        }
    pthread_mutex_unlock(&lock);
}

#define OURS (armed && is_ours(__builtin_return_address(0)))

void *malloc(size_t n) {
    if (!OURS)
        return __libc_malloc(n);
    return fails() ? NULL : noted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size) {
    if (!OURS)
        return __libc_calloc(n, size);
    return fails() ? NULL : noted(__libc_calloc(n, size));
}

void *aligned_alloc(size_t alignment, size_t n) {
    if (!OURS)
        return __libc_memalign(alignment, n);
    return fails() ? NULL : noted(__libc_memalign(alignment, n));
}

void *realloc(void *memory, size_t n) {
    if (!OURS)
        return __libc_realloc(memory, n);
    if (fails())
        return NULL;
    if (memory)
        forgotten(memory);
    return noted(__libc_realloc(memory, n));
}

void free(void *memory) {
    if (armed && memory)
        forgotten(memory);
    __libc_free(memory);
}

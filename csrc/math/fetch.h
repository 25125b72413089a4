/* Asking for memory ahead of time. */
#ifndef FD_FETCH_H
#define FD_FETCH_H

#include <stddef.h>

/* Cache lines that will be read soon, or written: those too come into the caches first, and that can happen
 * while something is computed. Addresses need not exist. */
static inline void fd_fetch(const void *start, ptrdiff_t size) {
#if defined(__GNUC__)
    for (ptrdiff_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)start + at);
#endif
}

static inline void fd_fetch_for_writing(void *start, ptrdiff_t size) {
#if defined(__GNUC__)
    for (ptrdiff_t at = 0; at < size; at += 64)
        __builtin_prefetch((char *)start + at, 1);
#endif
}

#endif

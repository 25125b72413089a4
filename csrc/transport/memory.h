/* Memory that is touched once from end to end: on Linux in huge pages, since a fault for every 4 KiB costs
 * more than the work on it (lognormal samples, 1e6 + 1e6: 8 of 24 ms). */
#ifndef FD_MEMORY_H
#define FD_MEMORY_H

#include <stdlib.h>
#ifdef __linux__
#    include <sys/mman.h>
#endif

static inline void *fd_allocate(size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    enum { HUGE = 1 << 21 };
    if (bytes >= HUGE) {
        void *memory = aligned_alloc(HUGE, (bytes + HUGE - 1) / HUGE * HUGE);
        if (memory)
            madvise(memory, bytes, MADV_HUGEPAGE);
        return memory;
    }
#endif
    return malloc(bytes);
}

#endif

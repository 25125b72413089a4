/* Memory that is touched once from end to end: on Linux in huge pages, since a fault for every 4 KiB may
 * cost more than the work on it. */
#ifndef FD_MEMORY_H
#define FD_MEMORY_H

#include <stdlib.h>
#ifdef __linux__
#    include <sys/mman.h>
#    ifndef MADV_HUGEPAGE
#        error "compile with -D_DEFAULT_SOURCE: huge pages would be lost without a word"
#    endif
#endif

static inline void *fd_allocate(size_t bytes) {
#ifdef __linux__
    enum { PAGE = 1 << 21 }; /* HUGE is a macro in musl's math.h */
    if (bytes >= PAGE) {
        void *memory = aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
        if (memory)
            madvise(memory, bytes, MADV_HUGEPAGE);
        return memory;
    }
#endif
    return malloc(bytes);
}

#endif

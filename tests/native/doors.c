#include "doors.h"

#include "bytes.h"
#include "core/core.h"
#include "transport/transport.h"

static int fd_sort_f64(void *x, ptrdiff_t n, void *array) {
    (void)array;
    qsort(x, (size_t)n, 8, fd_compare_f64);
    return 0;
}
static int fd_sort_u64(void *x, ptrdiff_t n, void *array) {
    (void)array;
    qsort(x, (size_t)n, 8, fd_compare_u64);
    return 0;
}
/* Insertion: n is small, and equal values stay in their order. */
#define FD_ARGSORT(name, type, compare)                                                                      \
    static int name(void *values, ptrdiff_t *order, ptrdiff_t n, void *array) {                              \
        const type *x = values;                                                                              \
        (void)array;                                                                                         \
        for (ptrdiff_t i = 0; i < n; i++)                                                                    \
            order[i] = i;                                                                                    \
        for (ptrdiff_t i = 1; i < n; i++)                                                                    \
            for (ptrdiff_t j = i; j > 0 && compare(x + order[j], x + order[j - 1]) < 0; j--) {               \
                const ptrdiff_t other = order[j];                                                            \
                order[j] = order[j - 1];                                                                     \
                order[j - 1] = other;                                                                        \
            }                                                                                                \
        return 0;                                                                                            \
    }
FD_ARGSORT(fd_argsort_f64, double, fd_compare_f64)
FD_ARGSORT(fd_argsort_u64, uint64_t, fd_compare_u64)

void fd_open_doors(void) {
    fd_core_open();
    fd_choose_isa(getenv("FASTDIV_ISA"));
    fd_numpy = (fd_sorts){fd_sort_f64, fd_sort_u64, fd_argsort_f64, fd_argsort_u64};
    fd_cells_from[0] = fd_cells_from[1] = fd_tally_from = 256; /* short samples take the ways of long ones */
}

uint64_t fd_call_door(const uint8_t *bytes, size_t size) {
    fd_call c = {.at = bytes, .end = bytes + size};
    const unsigned door = fd_pick(&c, FD_ROW_DOORS + FD_TRANSPORT_DOORS);
    (door < FD_ROW_DOORS ? fd_row_doors[door] : fd_transport_doors[door - FD_ROW_DOORS])(&c);
    for (int i = 0; i < c.n_held; i++)
        free(c.held[i]);
    return c.digest;
}

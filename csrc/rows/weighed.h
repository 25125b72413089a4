/* What values and gradients of a pair of rows share: copies that can be read in place, and the way from weighed
 * rows to the value.
 */
#ifndef FD_WEIGHED_H
#define FD_WEIGHED_H

#include "math/fetch.h"
#include "rows/list.h"
#include "rows/weigh.h"

/* Rows up to this long are copied once where they cannot be read in place; longer ones a block at a time, each
 * time they are read. */
enum { FD_COPY = 4 * FD_BLOCK };

static inline int fd_is_plain(fd_view v) {
    return v.scalar == FD_FLOAT64 && v.stride == sizeof(double) && (uintptr_t)v.data % sizeof(double) == 0;
}

static inline fd_view fd_plain_copy(fd_view v, ptrdiff_t n, double *copy) {
    fd_row_reader reader = {.view = v, .scale = {1.0, 1.0}};
    if (fd_is_plain(v))
        return v;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK)
        fd_block(&reader, start, n - start < FD_BLOCK ? n - start : FD_BLOCK, copy + start);
    return (fd_view){(const char *)copy, sizeof *copy, FD_FLOAT64};
}

/* The same, and asks for what is most often the next row. */
static inline fd_view fd_plain_view(fd_view v, ptrdiff_t n, double *copy) {
    fd_view plain = fd_plain_copy(v, n, copy);
    if (plain.data != v.data)
        fd_fetch(v.data + n * v.stride, n * fd_scalar_size(v.scalar));
    return plain;
}

/* Whether two rows are worth copying. */
static inline int fd_is_copied(fd_view p, fd_view q, ptrdiff_t n) {
    return n <= FD_COPY && !(fd_is_plain(p) && fd_is_plain(q));
}

/* fd_row of two rows that are weighed (q = p: entropy). They are left as they were read for it: scaled, where
 * that was needed. */
double fd_weighed_row(fd_measure measure, fd_row_reader *p, fd_row_reader *q, ptrdiff_t n,
                      const fd_options *options);

/* Its end, of rows that are normalised: from the sum of terms over that of p to the value. */
double fd_value_of_sum(fd_measure measure, double d, const fd_row_reader *p, const fd_row_reader *q,
                       ptrdiff_t n, const fd_pair *pair, const fd_options *options);

#endif

/* What two rows have in common: scale, order, support. */
#ifndef FD_PAIR_H
#define FD_PAIR_H

#include "rows/weigh.h"

/* What the terms of two rows have in common. The scale c = sum(p)/sum(q) is rounded, and as good as the sums are;
 * fd_refine_scale adds what it lacks. Without normalising it is 1. */
static inline void fd_set_pair(fd_pair *pair, const fd_row_reader *p, const fd_row_reader *q, double w_p,
                               double w_q) {
    *pair = (fd_pair){.c_hi = 1.0, .w_p = w_p, .w_q = w_q};
    if (p->logs) {
        pair->max_p = p->max;
        pair->max_q = q->max;
        pair->log_p = p->log;
        pair->log_q = q->log;
        pair->shift = p->max - q->max;
        pair->shift_lo = fd_difference_error(p->max, q->max) + (p->log - q->log);
    } else if (p->normalize) {
        pair->c_hi = p->sum / q->sum;
    }
}

/* Whether p_i sum(q) = q_i sum(p) for all i, exactly: counts in proportion. */
static inline int fd_proportional(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double x, y;
        const double *a = fd_block(p, i, 1, &x), *b = fd_block(q, i, 1, &y);
        double left = *a * q->sum, right = *b * p->sum;
        if (left != right ||
            fma(*a, q->sum, -left) + *a * q->sum_lo != fma(*b, p->sum, -right) + *b * p->sum_lo)
            return 0;
    }
    return 1;
}

static inline int fd_disjoint(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++)
        if (fd_has_mass(p, i) && fd_has_mass(q, i))
            return 0;
    return 1;
}

#endif

/* The sum of a measure's terms over two rows, whatever they are, and in the caller's unit. */
#ifndef FD_TERMS_H
#define FD_TERMS_H

#include "rows/pair.h"
#include "rows/wide.h"

static inline double fd_terms(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                              const fd_pair *pair) {
    if (p->logs)
        return fd_loop(fd_row_loops_now->log_sum[measure], p, q, n, pair);
    if (!p->wide && !q->wide)
        return fd_loop(fd_row_loops_now->sum[measure], p, q, n, pair);
    return fd_wide_loop(measure, p, q, n, pair);
}

/* The differences x - y of two rows of one mass add to 0; what they come to corrects the scale. */
static inline void fd_refine_scale(fd_pair *pair, const fd_row_reader *p, const fd_row_reader *q,
                                   ptrdiff_t n) {
    double excess = fd_terms(FD_imbalance, p, q, n, pair);
    pair->c_lo += excess / q->sum;
    pair->shift_lo += excess;
}

static inline double fd_in_unit(double bits, const fd_options *o) {
    return isinf(bits) ? bits : bits * o->unit_hi + bits * o->unit_lo;
}

#endif

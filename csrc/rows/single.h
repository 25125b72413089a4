/* A pair of rows of floats end to end in single precision (single_loops.h), where that keeps what is promised. */
#ifndef FD_SINGLE_H
#define FD_SINGLE_H

#include "rows/finish.h"
#include "rows/pair.h"

/* Below this, bits, it shows that the scale between the rows has single precision's sums: (4u)^2/8 nats are 3u of it. */
static const double FD_SINGLE_LEAST = 0x1p-24;

/* Whether it is tried: rows of floats as they stand that are too long to lie side by side (lanes.c). */
static inline int fd_is_single(fd_measure measure, fd_scalar scalar, ptrdiff_t n, const fd_options *o) {
    return scalar == FD_FLOAT32 && n > FD_FEW && fd_row_loops_now->single_sum[fd_measures[measure].sum] &&
           o->normalize != 0.0 && o->log_input == 0.0 && o->pseudocount == 0.0 && o->w_p == 0.5;
}

/* 0 for a row that is not ordinary: what is not finite is so in the sum. */
static inline int fd_weigh_single(fd_row_reader *r, ptrdiff_t n) {
    fd_stats stats = fd_work_through(&(fd_work){.p = r, .n = n, .single = 1});
    r->sum = stats.sum_hi;
    return !stats.is_signed && r->sum >= FD_SUM_MIN && r->sum <= FD_SUM_MAX;
}

/* NaN where double precision has to be asked: rows that are not ordinary, near, or all but disjoint. */
static inline double fd_row_in_single(fd_measure measure, fd_view p_view, fd_view q_view, ptrdiff_t n,
                                      const fd_options *o) {
    fd_row_reader first = fd_reader(p_view, o), second = fd_reader(q_view, o), *p = &first, *q = &second;
    const fd_traits *traits = &fd_measures[measure];
    fd_pair pair;
    if (!fd_weigh_single(p, n) || !fd_weigh_single(q, n))
        return NAN;
    if (traits->symmetric && !fd_in_order(p, q, n)) {
        p = &second;
        q = &first;
    }
    fd_set_pair(&pair, p, q, o->w_p, o->w_q);
    fd_work work = {.p = p, .q = q, .n = n, .single = 1, .pair = &pair};
    work.single_loop = fd_row_loops_now->single_sum[traits->sum];
    double d = fd_work_through(&work).sum_hi / p->sum;
    if (!(d >= FD_SINGLE_LEAST && d <= traits->most * (1.0 - 0x1p-16))) /* 5e-6 may be the bound itself */
        return NAN;
    return fd_finish(traits, d * traits->times, o);
}

#endif

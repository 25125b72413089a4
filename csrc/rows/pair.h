/* What two rows have in common: scale, order, support. */
#ifndef FD_PAIR_H
#define FD_PAIR_H

#include "rows/signs.h"

/* What the terms of two rows have in common. The scale c = sum(p)/sum(q) is rounded, and as good as the sums are;
 * fd_refine_scale adds what it lacks. Without normalising it is 1. */
static inline void fd_set_pair(fd_pair *pair, const fd_row_reader *p, const fd_row_reader *q, double w_p,
                               double w_q) {
    /* one by one: a structure of this size is cleared by a string store, which starts slowly */
    pair->c_hi = 1.0;
    pair->c_lo = pair->s_hi = pair->s_lo = 0.0;
    pair->max_p = pair->max_q = pair->log_p = pair->log_q = pair->shift = pair->shift_lo = 0.0;
    pair->order = pair->divergence = pair->pivot = pair->none_x = pair->none_y = pair->undecided = 0.0;
    pair->is_raw = 0;
    pair->w_p = w_p;
    pair->w_q = w_q;
    pair->p_ahead = p->ahead;
    pair->q_ahead = q->ahead;
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

/* A value of second order in the differences of rows (of first order: the root) that may be all rounding: of counts in
 * proportion it is 0. */
static const double FD_SECOND_ORDER_NONE = 0x1p-150, FD_FIRST_ORDER_NONE = 0x1p-75;

static inline double fd_unless_proportional(double d, double least, const fd_row_reader *p,
                                            const fd_row_reader *q, ptrdiff_t n) {
    return d > 0.0 && d < least && !p->logs && fd_proportional(p, q, n) ? 0.0 : d;
}

static inline int fd_disjoint(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++)
        if (fd_has_mass(p, i) && fd_has_mass(q, i))
            return 0;
    return 1;
}

/* Symmetric measures take their rows in an order that does not depend on the caller's, nor on the scale of
 * either, so that D(p,q) and D(q,p) are the same bits: the first share to differ decides, p_i sum(q) against
 * q_i sum(p). Where these agree in all bins, what their rounding lost decides, for rows that are in proportion
 * but for their last digits. */
static inline int fd_in_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    double x_copy[FD_LANES], y_copy[FD_LANES], p_total = fd_total(p), q_total = fd_total(q);
    for (int exact = 0; exact < 2; exact++)
        for (ptrdiff_t start = 0; start < n; start += FD_LANES) {
            ptrdiff_t size = n - start < FD_LANES ? n - start : FD_LANES;
            const double *x = fd_block(p, start, size, x_copy), *y = fd_block(q, start, size, y_copy);
            for (ptrdiff_t i = 0; i < size; i++) {
                double left = x[i] * q_total, right = y[i] * p_total;
                if (exact && (x[i] != y[i] || p_total != q_total)) {
                    left = fma(x[i], q_total, -left);
                    right = fma(y[i], p_total, -right);
                }
                if (left != right)
                    return left > right;
            }
        }
    return 1;
}

/* Of the largest mass that is not the same in both rows; for Kullback-Leibler, x log(x/y), in p. */
static inline int fd_differing_exponent(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                                        ptrdiff_t n) {
    double most = 0.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = fd_given(p, i), y = fd_given(q, i);
        double mass = measure == FD_kl_divergence ? x : fmax(x, y);
        most = x != y && mass > most ? mass : most;
    }
    return most > 0.0 ? ilogb(most) : -1074;
}

#endif

/* Sums over rows of logarithms that are not normalised and that span more than exp does.
 *
 * One scale for all bins will not do: where the masses at the top agree they add nothing, and the value is that
 * of bins which exp(-top) has made 0. So each bin goes through its loop alone, on the scale of its own larger
 * mass, term(a x, a y) = a term(x, y), and the terms are added on the scale of the largest term.
 */
#ifndef FD_FAR_H
#define FD_FAR_H

#include "rows/blocks.h"

/* Between the least and the largest entry: exp keeps all digits above -708. */
static const double FD_FAR = 600.0;

static inline double fd_least_log(const fd_row_reader *r, ptrdiff_t n) {
    double copy[FD_BLOCK], least = INFINITY;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        least = fmin(least, fd_row_loops_now->least(fd_block(r, start, size, copy), size));
    }
    return least;
}

static inline int fd_is_far(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    return fmax(p->top, q->top) - fmin(fd_least_log(p, n), fd_least_log(q, n)) > FD_FAR;
}

/* The term of a bin is the result times exp(scale). */
static inline double fd_far_term(fd_measure measure, double p, double q, const fd_pair *common,
                                 double *scale) {
    fd_pair pair = *common;
    if (measure == FD_chi_square && p > q && q > -INFINITY) { /* exp(2p - q) (1 - exp(q - p))^2 */
        double rest = expm1(q - p);
        *scale = fma(2.0, p, -q);
        return rest * rest;
    }
    *scale = fd_is_entropy(measure) || measure == FD_log_excess ? p : fmax(p, q);
    if (*scale == -INFINITY)
        return 0.0;
    pair.max_p = *scale;
    pair.max_q = fd_is_entropy(measure) ? 0.0 : *scale;
    return fd_row_loops_now->log_sum[measure](&p, &q, 1, &pair);
}

/* sum * exp(log), in two steps since exp(log) may be no double. */
static inline double fd_times_exp(double sum, double log) {
    double half = exp(0.5 * log);
    return sum == 0.0 || isinf(sum) ? sum : sum * half * half;
}

/* The sum is the result times exp(top). */
static inline double fd_far_terms(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                                  ptrdiff_t n, const fd_pair *pair, double *top) {
    double most = -INFINITY, x, y;
    fd_sum sum = {0};
    for (int pass = 0; pass < 2; pass++)
        for (ptrdiff_t i = 0; i < n; i++) {
            double scale, a = *fd_block(p, i, 1, &x), b = *fd_block(q, i, 1, &y);
            double term = fd_far_term(measure, a, b, pair, &scale);
            if (isinf(term))
                return term;
            if (term != 0.0 && pass == 0)
                most = fmax(most, scale + log(fabs(term)));
            else if (term != 0.0)
                fd_sum_add(&sum, fd_times_exp(term, scale - most));
        }
    *top = most;
    return fd_sum_total(sum);
}

#endif

/* Sums over rows that span more of the doubles than the loops can take: some masses are below 2^-800 of their
 * row (tails of a Gaussian or a Poisson law have them).
 *
 * Such a bin is taken out of its block, which then goes through the loop as ever. The bin is put on a scale
 * of its own and through the loop alone: every term but cross entropy's is homogeneous, term(a x, a y) = a
 * term(x, y). Two masses too far apart even for that are told from their logarithms.
 */
#ifndef FD_WIDE_H
#define FD_WIDE_H

#include "rows/measures.h"
#include "rows/weigh.h"

/* The term where one mass is 2^800 times the other or more. */
static inline double fd_term_apart(fd_measure sum, double log_x, double log_y, const fd_pair *pair) {
    fd_far_bin b = {log_x, log_y, exp2(log_x), exp2(log_y)};
    switch ((int)sum) {
#define FD_APART(name, ...)                                                                                  \
case FD_##name:                                                                                              \
    return fd_apart_##name(b, pair);
        FD_SUMMED(FD_APART)
        FD_HELPERS(FD_APART)
#undef FD_APART
    default:
        return NAN;
    }
}

/* The two masses of bin i times 2^-e, e such that the larger is between 1 and 2. 0 if they are too far apart
 * for the loops. */
static inline int fd_scale_bin(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t i, double *x,
                               double *y, int *e) {
    const int none = INT32_MIN / 2;
    double a = fd_given(p, i), b = fd_given(q, i);
    int ex = a > 0.0 ? ilogb(a) - p->exponent : none, ey = b > 0.0 ? ilogb(b) - q->exponent : none;
    *e = ex > ey ? ex : ey;
    *x = a > 0.0 ? ldexp(a, -p->exponent - *e) : 0.0;
    *y = b > 0.0 ? ldexp(b, -q->exponent - *e) : 0.0;
    return ex == none || ey == none || (ex - ey <= 799 && ey - ex <= 799);
}

/* A bin on its own. */
static inline double fd_odd_term(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                                 ptrdiff_t i, const fd_pair *pair) {
    fd_sum_loop loop = fd_row_loops_now->sum[measure];
    double x, y;
    int e;
    if (fd_is_entropy(measure)) { /* p log2(S/q), where one of them has mass */
        if (!(fd_given(q, i) > 0.0))
            return INFINITY;
        return ldexp(fd_given(p, i), -p->exponent) * (log2(pair->s_hi) - fd_log2_share(q, i));
    }
    if (!fd_scale_bin(p, q, i, &x, &y, &e))
        return fd_term_apart(measure, fd_log2_share(p, i), fd_log2_share(q, i) + log2(pair->c_hi), pair);
    return ldexp(loop(&x, &y, 1, pair), e);
}

/* Whether the loops cannot take entry i, which they see as `mass`. */
static inline int fd_is_odd(const fd_row_reader *r, ptrdiff_t i, double mass) {
    return (mass < FD_MASS_MIN && fd_given(r, i) > 0.0) || mass > FD_SUM_MAX;
}

static inline double fd_wide_loop(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                                  ptrdiff_t n, const fd_pair *pair) {
    double x[FD_BLOCK], y[FD_BLOCK];
    fd_sum sum = {0};
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *p_block = fd_block(p, start, size, x), *q_block = fd_block(q, start, size, y);
        memmove(x, p_block, (size_t)size * sizeof *x);
        memmove(y, q_block, (size_t)size * sizeof *y);
        for (ptrdiff_t i = 0; i < size; i++)
            if (fd_is_odd(p, start + i, x[i]) || fd_is_odd(q, start + i, y[i])) {
                fd_sum_add(&sum, fd_odd_term(measure, p, q, start + i, pair));
                x[i] = y[i] = 0.0;
            }
        fd_sum_add(&sum, fd_row_loops_now->sum[measure](x, y, size, pair));
        if (!(sum.value < INFINITY))
            break;
    }
    return fd_sum_total(sum);
}

#endif

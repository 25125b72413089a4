/* Sums over rows that span more of the doubles than the loops can take: masses some 270 decades apart, or, as
 * they stand without normalising, very large or very small.
 *
 * Every term but cross entropy's is homogeneous, term(a x, a y) = a term(x, y), so each bin is given a scale
 * of its own and put through the same loop as one bin. Two masses too far apart even for that are told from
 * their logarithms. Slow, exact, rare.
 */
#ifndef FD_WIDE_H
#define FD_WIDE_H

#include "reader.h"

/* The term where one mass is 2^900 times the other or more; x and y may be no doubles, lx and ly are log2. */
static inline double fd_term_of_logs(fd_measure measure, double lx, double ly, const fd_pair *pair) {
    double x = exp2(lx), y = exp2(ly);
    switch (measure) {
    case FD_kl_divergence:
        return x * (lx - ly) - FD_BITS_PER_NAT * (x - y);
    case FD_jeffreys_divergence:
        return (x - y) * (lx - ly);
    case FD_log_excess:
        return x * (lx - ly);
    case FD_log_excess_size:
        return x * fabs(lx - ly);
    case FD_imbalance:
        return x - y;
    case FD_js_divergence:
        return x > y ? x * pair->w_p * -log1p(-pair->w_q) * FD_BITS_PER_NAT
                     : y * pair->w_q * -log1p(-pair->w_p) * FD_BITS_PER_NAT;
    case FD_total_variation:
    case FD_hellinger:
        return x > y ? x : y;
    case FD_gain:
    case FD_gain_mass:
        return x > y ? x : 0.0;
    case FD_chi_square:
        return x > y ? exp2(2.0 * lx - ly) : y;
    case FD_renyi:
        return x * (expm1(pair->order * (lx - ly) / FD_BITS_PER_NAT) / pair->order - 1.0) + y;
    case FD_renyi_overlap:
        return exp2(lx + pair->order * (lx - ly));
    default:
        return NAN;
    }
}

/* The two masses of bin i times 2^-e, e such that the larger is between 1 and 2. 0 if they are too far apart
 * for the loops. */
static inline int fd_scale_bin(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t i, double *x,
                               double *y, int *e) {
    const int none = INT32_MIN / 2;
    double a = fd_entry(&p->view, i) + p->add, b = fd_entry(&q->view, i) + q->add;
    int ex = a > 0.0 ? ilogb(a) - p->exponent : none, ey = b > 0.0 ? ilogb(b) - q->exponent : none;
    *e = ex > ey ? ex : ey;
    *x = a > 0.0 ? ldexp(a, -p->exponent - *e) : 0.0;
    *y = b > 0.0 ? ldexp(b, -q->exponent - *e) : 0.0;
    return ex == none || ey == none || (ex - ey <= 900 && ey - ex <= 900);
}

static inline double fd_wide_loop(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                                  ptrdiff_t n, const fd_pair *pair) {
    fd_sum_loop loop = fd_kernels_now->sum[measure];
    double hi = 0.0, lo = 0.0, x, y;
    for (ptrdiff_t i = 0; i < n; i++) {
        int e, near = fd_scale_bin(p, q, i, &x, &y, &e);
        double term;
        if (!near)
            term =
                fd_term_of_logs(measure, fd_log2_share(p, i), fd_log2_share(q, i) + log2(pair->c_hi), pair);
        else if (x > 0.0 || y > 0.0)
            term = ldexp(loop(&x, &y, 1, pair), e);
        else
            continue;
        if (isinf(term) || term != term)
            return term;
        fd_add(&hi, &lo, term);
    }
    return isinf(hi) ? hi : hi + lo;
}

/* sum p log2(S/q), S = sum(q) or 1. */
static inline double fd_wide_cross_entropy(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                           const fd_pair *pair) {
    fd_sum_loop loop = fd_kernels_now->sum[FD_cross_entropy];
    double hi = 0.0, lo = 0.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = fd_entry(&p->view, i) + p->add, y = fd_entry(&q->view, i) + q->add;
        if (!(x > 0.0))
            continue;
        x = ldexp(x, -p->exponent);
        if (!(y > 0.0))
            return INFINITY;
        double share = ldexp(y, -q->exponent), one = 1.0;
        if (share >= FD_MASS_MIN && share <= FD_SUM_MAX)
            fd_add(&hi, &lo, x * loop(&one, &share, 1, pair));
        else
            fd_add(&hi, &lo, x * (log2(pair->s_hi) - fd_log2_share(q, i)));
    }
    return isinf(hi) ? hi : hi + lo;
}

/* The sum of a measure's terms, whatever the rows are. */
static inline double fd_terms(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                              const fd_pair *pair) {
    if (p->logs)
        return fd_loop(fd_kernels_now->log_sum[measure], p, q, n, pair);
    if (!p->wide && !q->wide)
        return fd_loop(fd_kernels_now->sum[measure], p, q, n, pair);
    return measure == FD_cross_entropy || measure == FD_entropy ? fd_wide_cross_entropy(p, q, n, pair)
                                                                : fd_wide_loop(measure, p, q, n, pair);
}

/* The differences x - y of two rows of one mass add to 0; what they come to corrects the scale. */
static inline void fd_refine_scale(fd_pair *pair, const fd_row_reader *p, const fd_row_reader *q,
                                   ptrdiff_t n) {
    double excess = fd_terms(FD_imbalance, p, q, n, pair);
    pair->c_lo += excess / q->sum;
    pair->shift_lo += excess;
}

#endif

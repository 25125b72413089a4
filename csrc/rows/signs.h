/* What has to be certain of two rows. Which of two shares is larger: the sign of p_i sum(q) - q_i sum(p), in whole
 * numbers; and in which bin the ratio of shares is largest.
 */
#ifndef FD_SIGNS_H
#define FD_SIGNS_H

#include "math/twofold.h"
#include "math/whole.h"
#include "rows/weigh.h"

/* Shares that are nearer than this, relative, the loops leave undecided: their scale is good to some u sqrt(n). */
static const double FD_UNDECIDED = 0x1p-36;

static inline fd_whole fd_whole_sum(const fd_row_reader *r, ptrdiff_t n) {
    fd_whole sum = fd_whole_zero();
    for (ptrdiff_t i = 0; i < n; i++)
        fd_whole_add(&sum, fd_given(r, i));
    return sum;
}

static inline int fd_sign_of_difference(double p, double q, const fd_whole *p_sum, const fd_whole *q_sum) {
    fd_whole x = fd_whole_times(q_sum, p), y = fd_whole_times(p_sum, q);
    return fd_whole_compare(&x, &y);
}

/* The ratio of two shares less 1: p_i sum(q) / (q_i sum(p)) - 1, q_i > 0. */
static inline double fd_ratio_less_1(double p, double q, const fd_whole *p_sum, const fd_whole *q_sum) {
    fd_whole x = fd_whole_times(q_sum, p), y = fd_whole_times(p_sum, q);
    int is_less = fd_whole_compare(&x, &y) < 0;
    fd_whole difference = is_less ? fd_whole_minus(&y, &x) : fd_whole_minus(&x, &y);
    double size = fd_whole_over(&difference, &y);
    return is_less ? -size : size;
}

/* Whether a/b is less than c/d, the same or more: -1, 0, 1. Of doubles >= 0, of which the products a d and c b are exact in
 * two doubles without their exponents. */
static inline int fd_compare_ratios(double a, double b, double c, double d) {
    int of_a, of_b, of_c, of_d;
    fd_twofold left = fd_two_product(frexp(a, &of_a), frexp(d, &of_d));
    fd_twofold right = fd_two_product(frexp(c, &of_c), frexp(b, &of_b));
    int shift = (of_a + of_d) - (of_c + of_b);
    shift = shift > 4 ? 4 : shift < -4 ? -4 : shift;
    left = (fd_twofold){ldexp(left.high, shift), ldexp(left.low, shift)};
    double difference = left.high != right.high ? left.high - right.high : left.low - right.low;
    return (difference > 0.0) - (difference < 0.0);
}

/* Whether all p_i/q_i are one ratio: counts in proportion. */
static inline int fd_proportional(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    double a = 0.0, b = 0.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = fd_given(p, i), y = fd_given(q, i);
        if ((x > 0.0) != (y > 0.0) || (a > 0.0 && x > 0.0 && fd_compare_ratios(x, y, a, b) != 0))
            return 0;
        a = x > 0.0 ? x : a;
        b = x > 0.0 ? y : b;
    }
    return 1;
}

/* A lower bound of the largest p/q, of rows that the loops can take: the largest as doubles divide, less what
 * that may be off. */
static inline double fd_ratio_bound(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK], most = 0.0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *x = fd_block(p, start, size, p_copy), *y = fd_block(q, start, size, q_copy);
        most = fmax(most, fd_row_loops_now->most_ratio(x, y, size));
    }
    return most * (1.0 - 0x1p-50);
}

/* The first bin with the largest p/q, sought among those that may be it; -1 where p has no mass. */
static inline ptrdiff_t fd_largest_ratio(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK];
    double bound = p->logs || p->wide || q->wide ? 0.0 : fd_ratio_bound(p, q, n);
    fd_twofold most = {-INFINITY, 0.0};
    ptrdiff_t at = -1;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *x = fd_block(p, start, size, p_copy), *y = fd_block(q, start, size, q_copy);
        for (ptrdiff_t k = 0; k < size; k++) {
            ptrdiff_t i = start + k;
            if ((bound > 0.0 && bound < INFINITY && x[k] < bound * y[k]) || !fd_has_mass(p, i))
                continue;
            if (!fd_has_mass(q, i))
                return i;
            fd_twofold log = p->logs ? fd_two_sum(x[k], -y[k]) : (fd_twofold){0.0, 0.0};
            int is_more = p->logs ? log.high > most.high || (log.high == most.high && log.low > most.low)
                                  : at < 0 || fd_compare_ratios(fd_given(p, i), fd_given(q, i),
                                                                fd_given(p, at), fd_given(q, at)) > 0;
            at = at < 0 || is_more ? i : at;
            most = at == i ? log : most;
        }
    }
    return at;
}

#endif

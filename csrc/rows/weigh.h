/* The mass of a row: read, held to be one, scaled where it is too large or too small to multiply; the logarithms
 * of its shares.
 */
#ifndef FD_WEIGH_H
#define FD_WEIGH_H

#include <float.h>

#include "math/log.h"
#include "rows/blocks.h"

/* Rows with sums beyond these are scaled first, so that y = q sum(p)/sum(q) is 2^-860 at least. */
static const double FD_SUM_MIN = 0x1p-30, FD_SUM_MAX = 0x1p30;

static inline int fd_all_finite_and_non_negative(const fd_row_reader *r, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = fd_entry(&r->view, i);
        if (!(x >= 0.0 && x <= DBL_MAX))
            return 0;
    }
    return 1;
}

/* Whether a row is one without its pseudocount, which might hide what is wrong. */
static inline int fd_is_row_before(const fd_row_reader *r, ptrdiff_t n) {
    fd_row_reader raw = *r;
    raw.add = 0.0;
    fd_stats stats = fd_row_stats(&raw, n, 0);
    return (!stats.is_signed && stats.sum_hi <= DBL_MAX) || fd_all_finite_and_non_negative(r, n);
}

/* A row's mass by its statistics. 0 if it has none: NaN, a negative or an infinite entry. */
static inline int fd_take_mass(fd_row_reader *r, ptrdiff_t n, fd_stats stats) {
    if (stats.sum_hi != stats.sum_hi)
        return 0;
    if (stats.is_signed || !(stats.sum_hi <= DBL_MAX)) {
        if (!fd_all_finite_and_non_negative(r, n))
            return 0;
        r->direct = 0; /* there are -0, or the sum overflows */
    }
    r->sum = stats.sum_hi;
    r->sum_lo = stats.sum_lo;
    r->is_tiny = stats.is_tiny;
    return 1;
}

static inline int fd_weigh(fd_row_reader *r, ptrdiff_t n) {
    if (r->add > 0.0 && !fd_is_row_before(r, n))
        return 0;
    return fd_take_mass(r, n, fd_row_stats(r, n, 0));
}

static inline int fd_is_ordinary(const fd_row_reader *r) {
    double least = r->normalize ? FD_SUM_MIN : 0.0; /* rows that are not normalised are not multiplied */
    return r->sum == 0.0 || (r->sum >= least && r->sum <= FD_SUM_MAX && !r->is_tiny);
}

/* Scales a row by 2^-exponent; `wide` if masses come of it that the loops cannot take. */
static inline void fd_rescale(fd_row_reader *r, ptrdiff_t n, int exponent) {
    r->direct = 0;
    r->exponent = exponent;
    r->scale[0] = ldexp(1.0, -exponent / 2);
    r->scale[1] = ldexp(1.0, -exponent + exponent / 2);
    fd_stats stats = fd_row_stats(r, n, 0);
    for (ptrdiff_t i = 0; i < n && !r->wide; i++) {
        double x = fd_given(r, i);
        double mass = x * r->scale[0] * r->scale[1];
        r->wide = (x > 0.0 && mass < FD_MASS_MIN) || mass > FD_SUM_MAX;
    }
    r->sum = stats.sum_hi;
    r->sum_lo = stats.sum_lo;
}

/* The e with 2^e <= sum < 2^(e+1), for sums beyond the doubles too. */
static inline int fd_sum_exponent(const fd_row_reader *r, ptrdiff_t n) {
    fd_row_reader scaled = *r;
    if (r->sum <= DBL_MAX)
        return r->sum > 0.0 ? ilogb(r->sum) : -1074;
    fd_rescale(&scaled, n, 64); /* n < 2^64 */
    return ilogb(scaled.sum) + 64;
}

/* Weighs rows of logarithms: log sum exp = max + log, the bins at the maximum counted, not added up, so that
 * a row with one dominant bin keeps the digits of the rest. 0 for a row that is none. */
static inline int fd_log_weigh(fd_row_reader *r, ptrdiff_t n) {
    double copy[FD_BLOCK], most = -INFINITY;
    fd_sum sum = {0};
    ptrdiff_t at_max = 0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        double block = fd_row_loops_now->max(fd_block(r, start, size, copy), size);
        if (!(block < INFINITY))
            return 0; /* NaN or inf */
        most = block > most ? block : most;
    }
    r->sum = 1.0;
    r->top = most;
    if (!r->normalize)
        return 1;
    if (most == -INFINITY)
        return 0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *block = fd_block(r, start, size, copy);
        fd_sum_add(&sum, fd_row_loops_now->exp_sum(block, size, most));
        for (ptrdiff_t i = 0; i < size; i++)
            at_max += block[i] == most;
    }
    r->max = most;
    r->log = log1p((double)(at_max - 1) + fd_sum_total(sum));
    return 1;
}

/* Any row; 0 for one that has no measure. */
static inline int fd_weigh_any(fd_row_reader *r, ptrdiff_t n) {
    return r->logs ? fd_log_weigh(r, n) : fd_weigh(r, n) && !(r->normalize && r->sum == 0.0);
}

/* What the sums of terms are divided by. */
static inline double fd_total(const fd_row_reader *r) { return r->normalize ? r->sum : 1.0; }

/* log2 of entry i after scaling, also where the scaled entry is no double. */
static inline double fd_log2_share(const fd_row_reader *r, ptrdiff_t i) {
    int exponent;
    double mantissa = frexp(fd_given(r, i), &exponent);
    return log2(mantissa) + (exponent - r->exponent);
}

/* log2 of entry i as a probability (as it stands where rows are not normalised); -inf for none. */
static inline double fd_log2_probability(const fd_row_reader *r, ptrdiff_t i) {
    double x = fd_given(r, i);
    if (r->logs)
        return ((x - r->max) - r->log) * FD_LOG2_E;
    if (!(x > 0.0))
        return -INFINITY;
    return r->normalize ? fd_log2_share(r, i) - log2(r->sum) : fd_log2_share(r, i) + r->exponent;
}

static inline int fd_has_mass(const fd_row_reader *r, ptrdiff_t i) {
    return fd_given(r, i) > (r->logs ? -INFINITY : 0.0);
}

#endif

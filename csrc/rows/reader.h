/* A row as blocks of contiguous doubles, whatever it is in the caller's memory, and its mass.
 *
 * Ordinary rows (contiguous, aligned float64, sums and masses in a range that products do not leave) are read
 * in place. All others are copied a block at a time: strided, misaligned, other numbers than float64, with a
 * pseudocount, with -0, or scaled by a power of two because their sum is very large or very small.
 */
#ifndef FD_READER_H
#define FD_READER_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "rows/measures.h"
#include "rows/rows.h"

/* Rows with sums beyond these are scaled first, so that y = q sum(p)/sum(q) is 2^-860 at least. */
static const double FD_SUM_MIN = 0x1p-30, FD_SUM_MAX = 0x1p30;

typedef struct {
    fd_view view;
    int direct;         /* blocks can be read where they are */
    int logs;           /* entries are logarithms */
    int normalize;      /* shares of the sum are meant, else the masses themselves */
    double add;         /* pseudocount */
    double scale[2];    /* powers of two; two, since 2^-e may not be a double */
    int wide;           /* spans more than the loops can take: bin by bin then (wide.h) */
    double sum, sum_lo; /* after adding and scaling */
    int is_tiny;        /* some mass, likewise, is under FD_MASS_MIN */
    int exponent;       /* of the scale: row = masses * 2^exponent */
    double max, log;    /* of a row of logarithms: log sum exp = max + log; 0 where that is not divided by */
    double top;         /* its largest entry */
} fd_row_reader;

static inline double fd_entry(const fd_view *v, ptrdiff_t i) {
    const char *at = v->data + i * v->stride;
    switch (v->scalar) {
#define FD_READ(name, type)                                                                                  \
case name: {                                                                                                 \
    type x;                                                                                                  \
    memcpy(&x, at, sizeof x);                                                                                \
    return (double)x;                                                                                        \
}
        FD_SCALARS(FD_READ)
#undef FD_READ
    default:
        return NAN;
    }
}

static inline ptrdiff_t fd_scalar_size(fd_scalar scalar) {
    static const uint8_t sizes[FD_N_SCALARS] = {
#define FD_SIZE(name, type) [name] = sizeof(type),
        FD_SCALARS(FD_SIZE)
#undef FD_SIZE
    };
    return sizes[scalar];
}

static inline fd_row_reader fd_reader(fd_view view, const fd_options *options) {
    fd_row_reader r = {.view = view, .scale = {1.0, 1.0}};
    r.logs = options->log_input != 0.0;
    r.normalize = options->normalize != 0.0;
    r.add = options->pseudocount;
    r.direct = view.scalar == FD_FLOAT64 && view.stride == sizeof(double) &&
               (uintptr_t)view.data % sizeof(double) == 0 && r.add == 0.0;
    return r;
}

/* Bins [start, start + n) as contiguous doubles: in place, or copied to `copy` (n of them). */
static const double *fd_block(const fd_row_reader *r, ptrdiff_t start, ptrdiff_t n, double *copy) {
    const char *at = r->view.data + start * r->view.stride;
    if (r->direct)
        return (const double *)at;
    ptrdiff_t size = fd_scalar_size(r->view.scalar);
    if (r->view.stride == size && (uintptr_t)at % (uintptr_t)size == 0) {
        fd_row_loops_now->widen(at, r->view.scalar, n, r->add, r->scale, copy);
        return copy;
    }
    for (ptrdiff_t i = 0; i < n; i++)
        copy[i] = fd_entry(&r->view, start + i);
    fd_row_loops_now->widen(copy, FD_FLOAT64, n, r->add, r->scale, copy);
    return copy;
}

/* (hi, lo) += x, the rounding error kept. */
static inline void fd_add(double *hi, double *lo, double x) {
    double s = *hi + x, part = s - *hi;
    *lo += (*hi - (s - part)) + (x - part);
    *hi = s;
}

/* What is done to each block of one or two rows; a sum of terms is stats->sum_hi. */
typedef struct {
    const fd_row_reader *p, *q;
    ptrdiff_t n;
    fd_sum_loop loop; /* NULL: the statistics of p, exact or not */
    const fd_pair *pair;
    int exact;
} fd_work;

static inline void fd_work_on_block(const fd_work *w, ptrdiff_t start, fd_stats *result) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK];
    ptrdiff_t size = w->n - start < FD_BLOCK ? w->n - start : FD_BLOCK;
    const double *p = fd_block(w->p, start, size, p_copy);
    if (!w->loop) {
        (w->exact ? fd_row_loops_now->exact_stats : fd_row_loops_now->stats)(p, size, result);
        return;
    }
    const double *q = w->q == w->p ? p : fd_block(w->q, start, size, q_copy);
    *result = (fd_stats){.sum_hi = w->loop(p, q, size, w->pair)};
}

/* All blocks of a long row by a team of threads, for the caller to add up in order; NULL if that is not worth
 * it (or there is no memory for it). */
static inline fd_stats *fd_work_in_parallel(const fd_work *w) {
    ptrdiff_t blocks = (w->n + FD_BLOCK - 1) / FD_BLOCK;
    int team = blocks < 128 ? 1 : fd_team((double)w->n, blocks / 64.0);
    fd_stats *results = team > 1 ? malloc((size_t)blocks * sizeof *results) : NULL;
    if (results) {
#pragma omp parallel for num_threads(team) schedule(static)
        for (ptrdiff_t b = 0; b < blocks; b++)
            fd_work_on_block(w, b * FD_BLOCK, &results[b]);
    }
    return results;
}

static inline fd_stats fd_work_through(const fd_work *w) {
    fd_stats total = {0}, *results = fd_work_in_parallel(w);
    double hi = 0.0, lo = 0.0;
    for (ptrdiff_t start = 0; start < w->n; start += FD_BLOCK) {
        fd_stats s;
        if (results)
            s = results[start / FD_BLOCK];
        else
            fd_work_on_block(w, start, &s);
        fd_add(&hi, &lo, s.sum_hi);
        lo += s.sum_lo;
        total.is_signed |= s.is_signed;
        total.is_tiny |= s.is_tiny;
        if (!(hi < INFINITY)) {
            lo = 0.0; /* inf or NaN: nothing can follow that changes it */
            break;
        }
    }
    free(results);
    total.sum_hi = hi + lo;
    total.sum_lo = lo - (total.sum_hi - hi);
    return total;
}

static inline fd_stats fd_row_stats(const fd_row_reader *r, ptrdiff_t n, int exact) {
    return fd_work_through(&(fd_work){.p = r, .n = n, .exact = exact});
}

static inline double fd_loop(fd_sum_loop loop, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                             const fd_pair *pair) {
    return fd_work_through(&(fd_work){.p = p, .q = q, .n = n, .loop = loop, .pair = pair}).sum_hi;
}

static inline int fd_all_finite_and_non_negative(const fd_row_reader *r, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = fd_entry(&r->view, i);
        if (!(x >= 0.0 && x <= DBL_MAX))
            return 0;
    }
    return 1;
}

/* Reads a row's mass. 0 if it has none: NaN, a negative or an infinite entry. */
static inline int fd_weigh(fd_row_reader *r, ptrdiff_t n) {
    if (r->add > 0.0 && !fd_all_finite_and_non_negative(r, n))
        return 0; /* which the pseudocount might hide */
    fd_stats stats = fd_row_stats(r, n, 0);
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
        double x = fd_entry(&r->view, i) + r->add;
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
    double copy[FD_BLOCK], hi = 0.0, lo = 0.0, most = -INFINITY;
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
        fd_add(&hi, &lo, fd_row_loops_now->exp_sum(block, size, most));
        for (ptrdiff_t i = 0; i < size; i++)
            at_max += block[i] == most;
    }
    r->max = most;
    r->log = log1p((double)(at_max - 1) + (hi + lo));
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
    double mantissa = frexp(fd_entry(&r->view, i) + r->add, &exponent);
    return log2(mantissa) + (exponent - r->exponent);
}

/* log2 of entry i as a probability (as it stands where rows are not normalised); -inf for none. */
static inline double fd_log2_probability(const fd_row_reader *r, ptrdiff_t i) {
    double x = fd_entry(&r->view, i) + r->add;
    if (r->logs)
        return ((x - r->max) - r->log) * FD_LOG2_E;
    if (!(x > 0.0))
        return -INFINITY;
    return r->normalize ? fd_log2_share(r, i) - log2(r->sum) : fd_log2_share(r, i) + r->exponent;
}

/* What the terms of two rows have in common. The scale c = sum(p)/sum(q) is good to twice the working
 * precision as far as the sums are; without normalising it is 1. */
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

static inline int fd_has_mass(const fd_row_reader *r, ptrdiff_t i) {
    return fd_entry(&r->view, i) + r->add > (r->logs ? -INFINITY : 0.0);
}

static inline int fd_disjoint(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++)
        if (fd_has_mass(p, i) && fd_has_mass(q, i))
            return 0;
    return 1;
}

/* The entropy of mixture weights, bits: what rows with nothing in common come to. */
static inline double fd_weight_entropy(const double *weights, ptrdiff_t m) {
    double bits = 0.0, small = 0.0; /* the sum of all weights but one above 1/2 */
    for (ptrdiff_t i = 0; i < m; i++)
        small += weights[i] > 0.5 ? 0.0 : weights[i];
    for (ptrdiff_t i = 0; i < m; i++)
        bits -= weights[i] > 0.0 ? weights[i] * fd_log2_weight(weights[i], small) : 0.0;
    return bits;
}

static inline double fd_in_unit(double bits, const fd_options *o) {
    return isinf(bits) ? bits : bits * o->unit_hi + bits * o->unit_lo;
}

#endif

/* The loops over bins of one row or two, compiled once per instruction set (levels/).
 *
 * Each runs over FD_LANES sums at a time, whatever the width of the machine's registers: the inner loop is
 * what the compiler turns into vectors. The last few bins are padded with bins that add nothing.
 */
#ifndef FD_LOOPS_H
#define FD_LOOPS_H

#include "rows/measures.h"
#include "rows/view.h"
#ifdef FD_AVX512
#    include "math/exp_table.h"
#endif

/* Adds the lanes up, always in the same tree. */
static double fd_fold(const double *lanes) {
    double a[FD_LANES / 2];
    for (int i = 0; i < FD_LANES / 2; i++)
        a[i] = lanes[i] + lanes[i + FD_LANES / 2];
    return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

/* The last n < FD_LANES numbers of a row, followed by `filler`. (Simd makes masked loads of this, where there
 * are any: nothing behind the row is read.) */
FD_INLINE void fd_pad(double *padded, const double *tail, ptrdiff_t n, double filler) {
#pragma omp simd
    for (int i = 0; i < FD_LANES; i++)
        padded[i] = i < n ? tail[i] : filler;
}

/* Asks for 16 bins, most often the next row's: the loop of a measure computes for longer than memory takes, but the
 * sums that come before the next one would wait. */
FD_INLINE void fd_fetch_ahead(const double *bins, uintptr_t ahead) {
#if defined(__GNUC__)
    __builtin_prefetch((const void *)((uintptr_t)bins + ahead));
    __builtin_prefetch((const void *)((uintptr_t)bins + ahead + 64));
#endif
}

/* The sum of an expression in p and q, a bin of two rows, and pair. */
#define FD_SUM_LOOP(name, filler, expression)                                                                \
    static double name(const double *p_row, const double *q_row, ptrdiff_t n, const fd_pair *pair_in) {      \
        const uintptr_t p_ahead = pair_in->p_ahead, q_ahead = pair_in->q_ahead;                              \
        const fd_pair copy = *pair_in, *pair = &copy;                                                        \
        double lanes[FD_LANES] = {0}, p_tail[FD_LANES], q_tail[FD_LANES];                                    \
        ptrdiff_t i = 0;                                                                                     \
        for (; i + FD_LANES <= n; i += FD_LANES) {                                                           \
            fd_fetch_ahead(p_row + i, p_ahead);                                                              \
            fd_fetch_ahead(q_row + i, q_ahead);                                                              \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                double p = p_row[i + lane], q = q_row[i + lane];                                             \
                lanes[lane] += expression;                                                                   \
            }                                                                                                \
        }                                                                                                    \
        if (i < n) {                                                                                         \
            fd_pad(p_tail, p_row + i, n - i, filler);                                                        \
            fd_pad(q_tail, q_row + i, n - i, filler);                                                        \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                double p = p_tail[lane], q = q_tail[lane];                                                   \
                lanes[lane] += expression;                                                                   \
            }                                                                                                \
        }                                                                                                    \
        return fd_fold(lanes);                                                                               \
    }

#define FD_LOOPS_OF(name, ...)                                                                               \
    FD_SUM_LOOP(fd_sum_##name, 0.0, fd_##name##_of_masses(p, q, pair))                                       \
    FD_SUM_LOOP(fd_log_sum_##name, -INFINITY, fd_##name##_of_logs(p, q, pair))

FD_SUMMED(FD_LOOPS_OF)
FD_HELPERS(FD_LOOPS_OF)

#undef FD_LOOPS_OF
FD_SUM_LOOP(fd_outside_loop, 0.0, fd_outside(p, q, pair))
FD_SUM_LOOP(fd_inside_loop, 0.0, fd_inside(p, q, pair))

#undef FD_SUM_LOOP

static double fd_most_ratio_loop(const double *p, const double *q, ptrdiff_t n) {
    double most = 0.0;
#pragma omp simd reduction(max : most)
    for (ptrdiff_t i = 0; i < n; i++) {
        double ratio = p[i] > 0.0 ? p[i] / q[i] : 0.0;
        most = ratio > most ? ratio : most;
    }
    return most;
}

#ifdef FD_AVX512
#    include "rows/loops_table.h"
#endif

/* Jensen-Shannon of a stack, in two loops over each row after the first (p): all rows on the scale of p, the
 * mixture m = sum w_j x_j is kept as `mixture` = m - p, a sum of differences, so that x_j - m keeps its
 * digits. The first loop adds row q to it, the second returns the sum of w_q KL(x_q, m) term by term. */
#define FD_STACK_LOOPS(prefix, bin_of)                                                                       \
    static void prefix##_mix(const double *p, const double *q, double *mixture, ptrdiff_t n,                 \
                             const fd_pair *pair) {                                                          \
        _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++) {                                              \
            fd_bin b = bin_of(p[i], q[i], pair);                                                             \
            mixture[i] -= pair->w_q * b.d;                                                                   \
        }                                                                                                    \
    }                                                                                                        \
    static double prefix##_sum(const double *p, const double *q, const double *mixture, ptrdiff_t n,         \
                               const fd_pair *pair) {                                                        \
        double lanes[FD_LANES] = {0};                                                                        \
        for (ptrdiff_t i = 0; i < n; i += FD_LANES) {                                                        \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                fd_bin b = bin_of(p[i + lane], q[i + lane], pair);                                           \
                double above = mixture[i + lane], m = b.x + above;                                           \
                double term = pair->w_q * fd_relative_entropy(b.y, m, -b.d - above);                         \
                lanes[lane] += m > 0.0 ? term : 0.0;                                                         \
            }                                                                                                \
        }                                                                                                    \
        return fd_fold(lanes);                                                                               \
    }

FD_STACK_LOOPS(fd_stack, fd_bin_of_masses)
FD_STACK_LOOPS(fd_log_stack, fd_bin_of_logs)
#undef FD_STACK_LOOPS

/* Runs `step` over a row, 16 bins at a time, the last ones padded. The steps keep their lanes in registers as
 * long as nothing else touches them, hence the second copy for the tail. */
#define FD_EACH_STEP(p, n, filler, step)                                                                     \
    do {                                                                                                     \
        ptrdiff_t i = 0;                                                                                     \
        for (; i + FD_LANES <= (n); i += FD_LANES) {                                                         \
            const double *row = (p) + i;                                                                     \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) step;                            \
        }                                                                                                    \
        if (i < (n)) {                                                                                       \
            double row[FD_LANES];                                                                            \
            fd_pad(row, (p) + i, (n) - i, filler);                                                           \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) step;                            \
        }                                                                                                    \
    } while (0)

static void fd_stats_loop(const double *p, ptrdiff_t n, fd_stats *stats) {
    double sum[FD_LANES] = {0}, least[FD_LANES];
    uint64_t bits[FD_LANES] = {0}, any = 0;
    for (int lane = 0; lane < FD_LANES; lane++)
        least[lane] = INFINITY;
    FD_EACH_STEP(p, n, 0.0, {
        double x = row[lane];
        double positive = x > 0.0 ? x : INFINITY;
        sum[lane] += x;
        least[lane] = positive < least[lane] ? positive : least[lane];
        bits[lane] |= fd_bits(x);
    });
    stats->sum_hi = fd_fold(sum);
    stats->sum_lo = 0.0;
    stats->is_tiny = 0;
    for (int lane = 0; lane < FD_LANES; lane++) {
        any |= bits[lane];
        stats->is_tiny |= least[lane] < FD_MASS_MIN;
    }
    stats->is_signed = (int)(any >> 63);
}

/* As fd_stats_loop of x + add, in the same order. */
static void fd_smooth_loop(const double *x, ptrdiff_t n, double add, double *out, fd_stats *stats) {
    double sum[FD_LANES] = {0}, least[FD_LANES], raw[FD_LANES], given[FD_LANES], row[FD_LANES];
    ptrdiff_t i = 0;
    for (int lane = 0; lane < FD_LANES; lane++)
        least[lane] = raw[lane] = INFINITY;
    for (; i + FD_LANES <= n; i += FD_LANES) {
        _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
            double from = x[i + lane], mass = from + add, positive = mass > 0.0 ? mass : INFINITY;
            out[i + lane] = mass;
            sum[lane] += mass;
            least[lane] = positive < least[lane] ? positive : least[lane];
            raw[lane] = from < raw[lane] ? from : raw[lane];
        }
    }
    if (i < n) {
        fd_pad(given, x + i, n - i, 0.0);
        for (ptrdiff_t k = i; k < n; k++)
            out[k] = x[k] + add;
        fd_pad(row, out + i, n - i, 0.0);
        _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
            double from = given[lane], mass = row[lane], positive = mass > 0.0 ? mass : INFINITY;
            sum[lane] += mass;
            least[lane] = positive < least[lane] ? positive : least[lane];
            raw[lane] = from < raw[lane] ? from : raw[lane];
        }
    }
    *stats = (fd_stats){.sum_hi = fd_fold(sum)};
    for (int lane = 0; lane < FD_LANES; lane++) {
        stats->is_tiny |= least[lane] < FD_MASS_MIN;
        stats->is_signed |= raw[lane] < 0.0;
    }
}

/* fd_stats_loop with the rounding error of every addition kept: sum_hi + sum_lo is good to
 * n u^2 of the sum of non-negative masses. */
static void fd_exact_stats_loop(const double *p, ptrdiff_t n, fd_stats *stats) {
    double sum[FD_LANES] = {0}, error[FD_LANES] = {0};
    fd_stats_loop(p, n, stats);
    FD_EACH_STEP(p, n, 0.0, {
        double x = row[lane];
        double s = sum[lane] + x;
        error[lane] += fd_sum_error(sum[lane], x, s);
        sum[lane] = s;
    });
    double hi = 0.0, lo = 0.0;
    for (int lane = 0; lane < FD_LANES; lane++) {
        double s = hi + sum[lane];
        lo += fd_sum_error(hi, sum[lane], s) + error[lane];
        hi = s;
    }
    stats->sum_hi = hi + lo;
    stats->sum_lo = lo - (stats->sum_hi - hi);
}

static double fd_max_loop(const double *p, ptrdiff_t n) {
    double max[FD_LANES], nan[FD_LANES] = {0};
    for (int lane = 0; lane < FD_LANES; lane++)
        max[lane] = -INFINITY;
    FD_EACH_STEP(p, n, -INFINITY, {
        double x = row[lane];
        max[lane] = x > max[lane] ? x : max[lane];
        nan[lane] = x == x ? nan[lane] : x;
    });
    double missing = fd_fold(nan);
    for (int half = FD_LANES / 2; half > 0;
         half /= 2) /* a tree: a chain of 15 waits takes longer than 50 bins */
        for (int lane = 0; lane < half; lane++)
            max[lane] = max[lane + half] > max[lane] ? max[lane + half] : max[lane];
    return missing == missing ? max[0] : missing;
}

static double fd_least_loop(const double *p, ptrdiff_t n) {
    double least = INFINITY;
#pragma omp simd reduction(min : least)
    for (ptrdiff_t i = 0; i < n; i++) {
        double finite = p[i] > -INFINITY ? p[i] : INFINITY;
        least = finite < least ? finite : least;
    }
    return least;
}

/* exp of FD_LANES numbers, none above 709: the loops that take it by rows and by bins are to agree to the bit. */
FD_INLINE void fd_exp_lanes(const double *v, double *out) {
#ifdef FD_AVX512
    _mm512_storeu_pd(out, fd_table_exp_below(_mm512_loadu_pd(v)));
    _mm512_storeu_pd(out + 8, fd_table_exp_below(_mm512_loadu_pd(v + 8)));
#else
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) out[lane] = fd_exp_below(v[lane]);
#endif
}

FD_INLINE void fd_exp_step(const double *row, double max, double *sum) {
    double below[FD_LANES], its[FD_LANES];
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) below[lane] = row[lane] - max;
    fd_exp_lanes(below, its);
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) sum[lane] +=
        below[lane] < 0.0 ? its[lane] : 0.0;
}

static double fd_exp_sum_loop(const double *p, ptrdiff_t n, double max) {
    double sum[FD_LANES] = {0}, tail[FD_LANES];
    ptrdiff_t i = 0;
    for (; i + FD_LANES <= n; i += FD_LANES)
        fd_exp_step(p + i, max, sum);
    if (i < n) {
        fd_pad(tail, p + i, n - i, -INFINITY);
        fd_exp_step(tail, max, sum);
    }
    return fd_fold(sum);
}

#undef FD_EACH_STEP

/* Log-masses to masses, which may take their place. */
static void fd_exp_loop(const double *x, ptrdiff_t n, double max, double log, double *out) {
#pragma omp simd
    for (ptrdiff_t k = 0; k < n; k++)
        out[k] = fd_exp((x[k] - max) - log);
}

/* `x` and `out` may be the same. */
static void fd_widen_loop(const void *x, int scalar, ptrdiff_t n, double add, const double *scale,
                          double *out) {
    double first = scale[0], second = scale[1];
    switch (scalar) {
#define FD_WIDEN(name, type)                                                                                 \
case name:                                                                                                   \
    _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++) out[i] =                                           \
        ((double)((const type *)x)[i] + add) * first * second;                                               \
    break;
        FD_SCALARS(FD_WIDEN)
#undef FD_WIDEN
    }
}

static void fd_surprisal_loop(const double *p, double *out, ptrdiff_t n) {
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = fd_surprisal(p[i]);
}

static void fd_binary_entropy_loop(const double *p, double *out, ptrdiff_t n) {
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = fd_binary_entropy(p[i]);
}

#endif

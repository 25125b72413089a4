/* Loops over a row of logits, compiled once per instruction set: one exponential a bin, which is written where the
 * derivative will be.
 */
#include "rows/lane_loops.h"
#include "rows/slope_table.h"

/* exp(q - max) of each bin; their sum but for the bins at max (is 1 there), and how many these are. */
#ifdef FD_AVX512
#    include "rows/logit_table.h"
#else
/* (In steps: the exponential and the selection in one loop gcc 12 does not turn into vectors, nor a selection by what
 * comes through a pointer.) */
FD_INLINE void fd_logit_step(const double *row, double max, double *part, double *sum, double *count) {
    double below[FD_LANES], its[FD_LANES];
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) below[lane] = row[lane] - max;
    fd_exp_lanes(below, its);
    memcpy(part, its, sizeof its);
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) its[lane] =
        below[lane] < 0.0 ? its[lane] : 0.0;
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) sum[lane] += its[lane];
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) its[lane] = below[lane] < 0.0 ? 0.0 : 1.0;
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) count[lane] += its[lane];
}

static void fd_logit_parts_loop(const double *q, ptrdiff_t n, double max, double *parts, double *below,
                                double *at_max) {
    double sum[FD_LANES] = {0}, count[FD_LANES] = {0}, tail[FD_LANES], part[FD_LANES];
    ptrdiff_t i = 0;
    for (; i + FD_LANES <= n; i += FD_LANES) {
        fd_logit_step(q + i, max, part, sum, count);
        memcpy(parts + i, part, sizeof part);
    }
    if (i < n) {
        fd_pad(tail, q + i, n - i, -INFINITY);
        fd_logit_step(tail, max, part, sum, count);
        memcpy(parts + i, part, (size_t)(n - i) * sizeof *part);
    }
    *below = fd_fold(sum);
    *at_max = fd_fold(count);
}
#endif

/* The same of rows side by side, n <= FD_BLOCK bins, `pitch` from bin to bin (x and parts may be the same), and their
 * maxima: NaN where an entry is, or is inf. */
static void fd_logit_lanes_loop(const double *x, ptrdiff_t pitch, ptrdiff_t n, fd_ahead ahead, double *parts,
                                double *max, double *below, double *at_max) {
    double sums[FD_LANES][FD_ROWS], counts[FD_LANES][FD_ROWS], most[FD_ROWS], bad[FD_ROWS];
    for (int row = 0; row < FD_ROWS; row++) {
        most[row] = -INFINITY;
        bad[row] = 0.0;
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        const double *bin = x + j * pitch;
        double *to = parts + j * FD_ROWS;
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
            double given = bin[row];
            to[row] = given;
            most[row] = given > most[row] ? given : most[row];
            bad[row] = given < INFINITY ? bad[row] : NAN;
        }
    }
    fd_clear_parts(sums, n);
    fd_clear_parts(counts, n);
    for (ptrdiff_t j = 0; j < n; j++) {
        double *part = parts + j * FD_ROWS, *sum = sums[j % FD_LANES], *count = counts[j % FD_LANES],
               above[FD_ROWS];
        const double *sum_before = j < FD_LANES ? fd_no_part : sum,
                     *count_before = j < FD_LANES ? fd_no_part : count;
        fd_fetch_lanes(ahead.in + j * ahead.in_step);
        fd_fetch_lanes(ahead.out + j * ahead.out_step);
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) above[row] = part[row] - most[row];
        fd_exp_lanes(above, part);
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
            sum[row] = sum_before[row] + (above[row] < 0.0 ? part[row] : 0.0);
            count[row] = count_before[row] + (above[row] < 0.0 ? 0.0 : 1.0);
        }
    }
    fd_fold_rows(sums, below);
    fd_fold_rows(counts, at_max);
    for (int row = 0; row < FD_ROWS; row++)
        max[row] = most[row] + bad[row];
}

/* The sum of p (max - q). */
static double fd_logit_sum_loop(const double *p, const double *q, ptrdiff_t n, double max) {
    double lanes[FD_LANES] = {0}, p_tail[FD_LANES], q_tail[FD_LANES];
    ptrdiff_t i = 0;
    for (; i + FD_LANES <= n; i += FD_LANES) {
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++) {
            double mass = p[i + lane], product = mass * (max - q[i + lane]);
            lanes[lane] += mass > 0.0 ? product : 0.0;
        }
    }
    if (i < n) {
        fd_pad(p_tail, p + i, n - i, 0.0);
        fd_pad(q_tail, q + i, n - i, 0.0);
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++) {
            double mass = p_tail[lane], product = mass * (max - q_tail[lane]);
            lanes[lane] += mass > 0.0 ? product : 0.0;
        }
    }
    return fd_fold(lanes);
}

/* By the masses (surprisal - mean) scale, the surprisal being max + rest - q. */
static void fd_logit_masses_loop(const double *q, ptrdiff_t n, double max, double rest, double mean,
                                 const double *scale, double *by_p) {
    double first = scale[0], second = scale[1], third = scale[2];
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        by_p[i] = (((max - q[i]) + rest) - mean) * first * second * third;
}

/* By the logits: parts/sum of the model less the shares p/total, in units of 1/unit. */
static void fd_logit_shares_loop(const double *p, ptrdiff_t n, double sum, double total, double unit,
                                 double *parts) {
    double by_part = unit / sum, by_mass = unit / total;
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        parts[i] = fd_madd(parts[i], by_part, -(p[i] * by_mass));
}

/* The sums of p (max - q) of rows side by side; surprisals take the place of p, derivatives by the logits that of parts. */
static void fd_logit_lane_terms_loop(double *p, const double *q, ptrdiff_t pitch, ptrdiff_t n, fd_ahead ahead,
                                     const fd_logit_lanes *of_in, double *parts, double *sums) {
    double at[FD_LANES][FD_ROWS];
    fd_logit_lanes of;
    fd_copy_rows(of.max, of_in->max);
    fd_copy_rows(of.rest, of_in->rest);
    fd_copy_rows(of.by_part, of_in->by_part);
    fd_copy_rows(of.by_mass, of_in->by_mass);
    fd_clear_parts(at, n);
    for (ptrdiff_t j = 0; j < n; j++) {
        const double *bin = q + j * pitch, *before = j < FD_LANES ? fd_no_part : at[j % FD_LANES];
        double *mass = p + j * FD_ROWS, *part = parts + j * FD_ROWS, *sum = at[j % FD_LANES];
        fd_fetch_lanes(ahead.in + j * ahead.in_step);
        fd_fetch_lanes(ahead.out + j * ahead.out_step);
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
            double x = mass[row], below = of.max[row] - bin[row], product = x * below;
            sum[row] = before[row] + (x > 0.0 ? product : 0.0);
            part[row] = fd_madd(part[row], of.by_part[row], -(x * of.by_mass[row]));
            mass[row] = below + of.rest[row];
        }
    }
    fd_fold_rows(at, sums);
}

static void fd_scale_loop(double *x, ptrdiff_t n, double factor) {
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] *= factor;
}

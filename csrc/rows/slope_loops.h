/* Loops over bins that write the slopes of a pair of rows, compiled once per instruction set; the shape is that
 * of loops.h.
 */
#include "rows/loops.h"
#include "rows/slopes.h"

/* Writes the slopes of n bins and returns their means in q's and p's masses, sum x by_x and sum y by_y: of
 * slopes that were written as products with the mass already (of logarithms), their sums. */
#define FD_SLOPE_LOOP(name, is_logs, filler, of_bin, product_x, product_y)                                   \
    static fd_slopes name(const double *p_row, const double *q_row, ptrdiff_t n, const fd_pair *pair_in,     \
                          double *by_p, double *by_q) {                                                      \
        const fd_pair copy = *pair_in, *pair = &copy;                                                        \
        double xs[FD_LANES] = {0}, ys[FD_LANES] = {0};                                                       \
        double p_tail[FD_LANES], q_tail[FD_LANES], by_p_tail[FD_LANES], by_q_tail[FD_LANES];                 \
        ptrdiff_t i = 0;                                                                                     \
        for (; i + FD_LANES <= n; i += FD_LANES) {                                                           \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                double p = p_row[i + lane], q = q_row[i + lane];                                             \
                fd_slopes s = of_bin(p, q, pair);                                                            \
                int is_none = (p == 0.0) & (q == 0.0);                                                       \
                s.by_x = is_none & !is_logs ? pair->none_x : s.by_x;                                         \
                s.by_y = is_none & !is_logs ? pair->none_y : s.by_y;                                         \
                by_p[i + lane] = s.by_x;                                                                     \
                by_q[i + lane] = s.by_y;                                                                     \
                xs[lane] += product_x;                                                                       \
                ys[lane] += product_y;                                                                       \
            }                                                                                                \
        }                                                                                                    \
        if (i < n) {                                                                                         \
            fd_pad(p_tail, p_row + i, n - i, filler);                                                        \
            fd_pad(q_tail, q_row + i, n - i, filler);                                                        \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                double p = p_tail[lane], q = q_tail[lane];                                                   \
                fd_slopes s = of_bin(p, q, pair);                                                            \
                int is_none = (p == 0.0) & (q == 0.0);                                                       \
                s.by_x = is_none & !is_logs ? pair->none_x : s.by_x;                                         \
                s.by_y = is_none & !is_logs ? pair->none_y : s.by_y;                                         \
                by_p_tail[lane] = s.by_x;                                                                    \
                by_q_tail[lane] = s.by_y;                                                                    \
                xs[lane] += product_x;                                                                       \
                ys[lane] += product_y;                                                                       \
            }                                                                                                \
            for (int lane = 0; i + lane < n; lane++) {                                                       \
                by_p[i + lane] = by_p_tail[lane];                                                            \
                by_q[i + lane] = by_q_tail[lane];                                                            \
            }                                                                                                \
        }                                                                                                    \
        return (fd_slopes){fd_fold(xs), fd_fold(ys)};                                                        \
    }

#define FD_SLOPE_LOOPS_OF(name)                                                                              \
    FD_SLOPE_LOOP(fd_slopes_loop_##name, 0, 0.0, fd_##name##_slopes_of_masses, fd_if_any(p, s.by_x),         \
                  fd_if_any(q, s.by_y))                                                                      \
    FD_SLOPE_LOOP(fd_log_slopes_loop_##name, 1, -INFINITY, fd_##name##_slopes_of_logs, s.by_x, s.by_y)

#define FD_OF_SUMMED(name, ...) FD_SLOPE_LOOPS_OF(name)
FD_SUMMED(FD_OF_SUMMED)
FD_SLOPE_LOOPS_OF(entropy)
#undef FD_OF_SUMMED
#undef FD_SLOPE_LOOPS_OF
#undef FD_SLOPE_LOOP

/* Takes the mean off slopes and scales them. */
static void fd_settle_loop(double *slopes, ptrdiff_t n, double mean, const double *scale) {
    double first = scale[0], second = scale[1], third = scale[2];
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        slopes[i] = (slopes[i] - mean) * first * second * third;
}

/* The same of products with the mass exp(log - max - rest). */
static void fd_log_settle_loop(double *slopes, const double *logs, ptrdiff_t n, double max, double rest,
                               double mean, const double *scale) {
    double first = scale[0], second = scale[1], third = scale[2];
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        slopes[i] = (slopes[i] - fd_exp((logs[i] - max) - rest) * mean) * first * second * third;
}

/* Jensen-Shannon of a stack: w_q log(x_q/m) by row q, with the mixture as fd_stack_mix leaves it; returns the
 * sum of x_q slope. n is a multiple of FD_LANES. */
#define FD_STACK_SLOPES(name, bin_of, is_log)                                                                \
    static double name(const double *p, const double *q, const double *mixture, ptrdiff_t n,                 \
                       const fd_pair *pair, double *by_q) {                                                  \
        double lanes[FD_LANES] = {0};                                                                        \
        for (ptrdiff_t i = 0; i < n; i += FD_LANES) {                                                        \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                                \
                fd_bin b = bin_of(p[i + lane], q[i + lane], pair);                                           \
                double above = mixture[i + lane], m = b.x + above, y = b.y - FD_TINY;                        \
                double slope = pair->w_q * fd_log2_ratio(b.y, m, -b.d - above);                              \
                double product = fd_if_any(y, slope);                                                        \
                double none = m > 2.0 * FD_TINY ? (pair->w_q > 0.0 ? -INFINITY : 0.0) : pair->none_y;        \
                by_q[i + lane] = is_log ? product : (y > 0.0 ? slope : none);                                \
                lanes[lane] += product;                                                                      \
            }                                                                                                \
        }                                                                                                    \
        return fd_fold(lanes);                                                                               \
    }

FD_STACK_SLOPES(fd_stack_slopes, fd_bin_of_masses, 0)
FD_STACK_SLOPES(fd_log_stack_slopes, fd_bin_of_logs, 1)
#undef FD_STACK_SLOPES

/* Cross entropy of masses against logarithms, nats: the surprisals log sum exp q - q_i, which are the slopes
 * by p. Returns the sum of p surprisal. */
static double fd_logits_loop(const double *p, const double *q, ptrdiff_t n, double max, double rest,
                             double *surprisals) {
    double lanes[FD_LANES] = {0}, last = 0.0;
    ptrdiff_t i = 0;
    for (; i + FD_LANES <= n; i += FD_LANES) {
#pragma omp simd
        for (int lane = 0; lane < FD_LANES; lane++) {
            double nats = (max - q[i + lane]) + rest, mass = p[i + lane], product = mass * nats;
            surprisals[i + lane] = nats;
            lanes[lane] += mass > 0.0 ? product : 0.0;
        }
    }
    for (; i < n; i++) {
        surprisals[i] = (max - q[i]) + rest;
        last += p[i] > 0.0 ? p[i] * surprisals[i] : 0.0;
    }
    return fd_fold(lanes) + last;
}

/* What is more in shares than in the shares masses/sum. */
static void fd_excess_loop(double *shares, const double *masses, ptrdiff_t n, double sum, double unit) {
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        shares[i] = (shares[i] - masses[i] / sum) * unit;
}

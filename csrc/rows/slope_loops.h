/* Loops over bins that write the slopes of a pair of rows, compiled once per instruction set; the shape is that
 * of loops.h.
 */
#include "rows/lane_loops.h"
#include "rows/slopes.h"

/* The terms of fd_is_at_once. */
#define FD_NO_TERM(name)                                                                                     \
    FD_INLINE double fd_##name##_at_once(double p, double q, const fd_pair *pair) { return 0.0; }
#define FD_ITS_TERM(name)                                                                                    \
    FD_INLINE double fd_##name##_at_once(double p, double q, const fd_pair *pair) {                          \
        return fd_##name##_of_masses(p, q, pair);                                                            \
    }
FD_AT_ONCE(FD_ITS_TERM)
FD_NOT_AT_ONCE(FD_NO_TERM)
#undef FD_NO_TERM
#undef FD_ITS_TERM

/* What a bin of masses comes to where both rows have some, of what is at once: the same bits without asking. */
#define FD_NO_FULL(name)                                                                                     \
    enum { fd_##name##_has_full = 0 };                                                                       \
    FD_INLINE fd_slope_sums fd_##name##_of_full(double p, double q, const fd_pair *pair) {                   \
        return (fd_slope_sums){0.0, 0.0, 0.0};                                                               \
    }
#define FD_ITS_FULL(name)                                                                                    \
    enum { fd_##name##_has_full = 1 };                                                                       \
    FD_INLINE fd_slope_sums fd_##name##_of_full(double p, double q, const fd_pair *pair) {                   \
        fd_bin bin = fd_bin_of_full(p, q, pair);                                                             \
        fd_slopes s = fd_slopes_##name(bin, pair);                                                           \
        return (fd_slope_sums){s.by_x, s.by_y, fd_term_##name(bin, pair)};                                   \
    }
FD_AT_ONCE(FD_ITS_FULL)
FD_NOT_AT_ONCE(FD_NO_FULL)
#undef FD_NO_FULL
#undef FD_ITS_FULL

/* Whether all bins of rows that are normalised have mass. */
FD_INLINE int fd_are_full(const double *p, const double *q, ptrdiff_t n, double is_raw) {
    double least = INFINITY;
#pragma omp simd reduction(min : least)
    for (ptrdiff_t i = 0; i < n; i++) {
        double less = p[i] < q[i] ? p[i] : q[i];
        least = less < least ? less : least;
    }
    return is_raw == 0.0 && least > 0.0;
}

/* Writes the slopes of n bins and returns their means in q's and p's masses, sum x by_x and sum y by_y: of
 * slopes that were written as products with the mass already (of logarithms), their sums; and the sum of `term`. */
#define FD_SLOPE_LOOP(name, is_logs, filler, of_bin, product_x, product_y, term, has_full, of_full)          \
    static fd_slope_sums name(const double *p_row, const double *q_row, ptrdiff_t n, const fd_pair *pair_in, \
                              double *by_p, double *by_q) {                                                  \
        const uintptr_t p_ahead = pair_in->p_ahead, q_ahead = pair_in->q_ahead;                              \
        const fd_pair copy = *pair_in, *pair = &copy;                                                        \
        double xs[FD_LANES] = {0}, ys[FD_LANES] = {0}, terms[FD_LANES] = {0};                                \
        double p_tail[FD_LANES], q_tail[FD_LANES], by_p_tail[FD_LANES], by_q_tail[FD_LANES];                 \
        ptrdiff_t i = 0;                                                                                     \
        if (has_full && fd_are_full(p_row, q_row, n, copy.is_raw)) {                                         \
            fd_pair full = copy;                                                                             \
            full.is_raw = 0.0;                                                                               \
            for (; i + FD_LANES <= n; i += FD_LANES) {                                                       \
                fd_fetch_ahead(p_row + i, p_ahead);                                                          \
                fd_fetch_ahead(q_row + i, q_ahead);                                                          \
                _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {                            \
                    double p = p_row[i + lane], q = q_row[i + lane];                                         \
                    fd_slope_sums s = of_full(p, q, &full);                                                  \
                    by_p[i + lane] = s.by_x;                                                                 \
                    by_q[i + lane] = s.by_y;                                                                 \
                    xs[lane] += p * s.by_x;                                                                  \
                    ys[lane] += q * s.by_y;                                                                  \
                    terms[lane] += s.terms;                                                                  \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
        for (; i + FD_LANES <= n; i += FD_LANES) {                                                           \
            fd_fetch_ahead(p_row + i, p_ahead);                                                              \
            fd_fetch_ahead(q_row + i, q_ahead);                                                              \
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
                terms[lane] += term;                                                                         \
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
                terms[lane] += term;                                                                         \
            }                                                                                                \
            for (int lane = 0; i + lane < n; lane++) {                                                       \
                by_p[i + lane] = by_p_tail[lane];                                                            \
                by_q[i + lane] = by_q_tail[lane];                                                            \
            }                                                                                                \
        }                                                                                                    \
        return (fd_slope_sums){fd_fold(xs), fd_fold(ys), fd_fold(terms)};                                    \
    }

#define FD_SLOPE_LOOPS_OF(name)                                                                              \
    FD_SLOPE_LOOP(fd_slopes_loop_##name, 0, 0.0, fd_##name##_slopes_of_masses, fd_if_any(p, s.by_x),         \
                  fd_if_any(q, s.by_y), fd_##name##_at_once(p, q, pair), fd_##name##_has_full,               \
                  fd_##name##_of_full)                                                                       \
    FD_SLOPE_LOOP(fd_log_slopes_loop_##name, 1, -INFINITY, fd_##name##_slopes_of_logs, s.by_x, s.by_y, 0.0,  \
                  0, fd_##name##_of_full)

#define FD_OF_SUMMED(name, ...) FD_SLOPE_LOOPS_OF(name)
FD_SUMMED(FD_OF_SUMMED)
FD_SLOPE_LOOPS_OF(entropy)
#undef FD_OF_SUMMED

/* The same of rows side by side, of masses (FD_LANE_LOOP). */
#define FD_LANE_SLOPE_LOOP(name, ...)                                                                        \
    FD_INLINE fd_slope_sums fd_lane_slope_##name(double p, double q, const fd_pairs *pairs, int row) {       \
        const fd_pair pair = {                                                                               \
            FD_PAIR_OF_LANE,                                                                                 \
            .divergence = pairs->divergence[row],                                                            \
            .pivot = pairs->pivot[row],                                                                      \
            .none_x = pairs->none_x,                                                                         \
            .none_y = pairs->none_y,                                                                         \
            .undecided = pairs->undecided,                                                                   \
            .is_raw = pairs->is_raw,                                                                         \
        };                                                                                                   \
        fd_slopes s = fd_##name##_slopes_of_masses(p, q, &pair);                                             \
        int is_none = (p == 0.0) & (q == 0.0);                                                               \
        return (fd_slope_sums){is_none ? pair.none_x : s.by_x, is_none ? pair.none_y : s.by_y,               \
                               fd_##name##_at_once(p, q, &pair)};                                            \
    }                                                                                                        \
    FD_INLINE fd_slope_sums fd_lane_full_##name(double p, double q, const fd_pairs *pairs, int row) {        \
        const fd_pair pair = {FD_PAIR_OF_LANE};                                                              \
        return fd_##name##_of_full(p, q, &pair);                                                             \
    }                                                                                                        \
    static void fd_lane_slopes_##name(const double *p_rows, const double *q_rows, ptrdiff_t n,               \
                                      const fd_pairs *pairs_in, double *by_p_rows, double *by_q_rows,        \
                                      double *x_sums, double *y_sums, double *terms) {                       \
        const char *p_ahead = pairs_in->p_ahead, *q_ahead = pairs_in->q_ahead;                               \
        const char *by_p_ahead = pairs_in->by_p_ahead, *by_q_ahead = pairs_in->by_q_ahead;                   \
        const ptrdiff_t p_step = pairs_in->p_ahead_step, q_step = pairs_in->q_ahead_step;                    \
        fd_pairs pairs;                                                                                      \
        double xs[FD_LANES][FD_ROWS], ys[FD_LANES][FD_ROWS], zs[FD_LANES][FD_ROWS];                          \
        fd_copy_pairs(&pairs, pairs_in);                                                                     \
        fd_clear_parts(xs, n);                                                                               \
        fd_clear_parts(ys, n);                                                                               \
        fd_clear_parts(zs, n);                                                                               \
        int is_full = fd_##name##_has_full && fd_are_full(p_rows, q_rows, n * FD_ROWS, pairs.is_raw);        \
        for (ptrdiff_t j = 0; j < n; j++) {                                                                  \
            const double *p_bin = p_rows + j * FD_ROWS, *q_bin = q_rows + j * FD_ROWS;                       \
            double *by_p = by_p_rows + j * FD_ROWS, *by_q = by_q_rows + j * FD_ROWS;                         \
            double *x = xs[j % FD_LANES], *y = ys[j % FD_LANES], *z = zs[j % FD_LANES];                      \
            const double *x_before = j < FD_LANES ? fd_no_part : x,                                          \
                         *y_before = j < FD_LANES ? fd_no_part : y,                                          \
                         *z_before = j < FD_LANES ? fd_no_part : z;                                          \
            fd_fetch_lanes(p_ahead + j * p_step);                                                            \
            fd_fetch_lanes(q_ahead + j * q_step);                                                            \
            fd_fetch_lanes(by_p_ahead + j * FD_ROWS * (ptrdiff_t)sizeof(double));                            \
            fd_fetch_lanes(by_q_ahead + j * FD_ROWS * (ptrdiff_t)sizeof(double));                            \
            if (is_full) {                                                                                   \
                _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {                                \
                    double p = p_bin[row], q = q_bin[row];                                                   \
                    fd_slope_sums s = fd_lane_full_##name(p, q, &pairs, row);                                \
                    by_p[row] = s.by_x;                                                                      \
                    by_q[row] = s.by_y;                                                                      \
                    x[row] = x_before[row] + p * s.by_x;                                                     \
                    y[row] = y_before[row] + q * s.by_y;                                                     \
                    z[row] = z_before[row] + s.terms;                                                        \
                }                                                                                            \
                continue;                                                                                    \
            }                                                                                                \
            _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {                                    \
                double p = p_bin[row], q = q_bin[row];                                                       \
                fd_slope_sums s = fd_lane_slope_##name(p, q, &pairs, row);                                   \
                by_p[row] = s.by_x;                                                                          \
                by_q[row] = s.by_y;                                                                          \
                x[row] = x_before[row] + fd_if_any(p, s.by_x);                                               \
                y[row] = y_before[row] + fd_if_any(q, s.by_y);                                               \
                z[row] = z_before[row] + s.terms;                                                            \
            }                                                                                                \
        }                                                                                                    \
        fd_fold_rows(xs, x_sums);                                                                            \
        fd_fold_rows(ys, y_sums);                                                                            \
        fd_fold_rows(zs, terms);                                                                             \
    }

FD_SUMMED(FD_LANE_SLOPE_LOOP)
FD_LANE_SLOPE_LOOP(entropy)
#undef FD_LANE_SLOPE_LOOP

/* Of logarithms, products with the masses; not of which there are terms. */
#define FD_LOG_LANE_SLOPE_LOOP(name, ...)                                                                    \
    FD_INLINE fd_slopes fd_log_lane_slope_##name(double p, double q, const fd_pairs *pairs, int row) {       \
        const fd_pair pair = {                                                                               \
            FD_PAIR_OF_LOG_LANE,                                                                             \
            .divergence = pairs->divergence[row],                                                            \
            .pivot = pairs->pivot[row],                                                                      \
        };                                                                                                   \
        return fd_##name##_slopes_of_logs(p, q, &pair);                                                      \
    }                                                                                                        \
    static void fd_log_lane_slopes_##name(const double *p_rows, const double *q_rows, ptrdiff_t n,           \
                                          const fd_pairs *pairs_in, double *by_p_rows, double *by_q_rows,    \
                                          double *x_sums, double *y_sums) {                                  \
        const char *p_ahead = pairs_in->p_ahead, *q_ahead = pairs_in->q_ahead;                               \
        const char *by_p_ahead = pairs_in->by_p_ahead, *by_q_ahead = pairs_in->by_q_ahead;                   \
        const ptrdiff_t p_step = pairs_in->p_ahead_step, q_step = pairs_in->q_ahead_step;                    \
        fd_pairs pairs;                                                                                      \
        double xs[FD_LANES][FD_ROWS], ys[FD_LANES][FD_ROWS];                                                 \
        fd_copy_log_pairs(&pairs, pairs_in);                                                                 \
        fd_clear_parts(xs, n);                                                                               \
        fd_clear_parts(ys, n);                                                                               \
        for (ptrdiff_t j = 0; j < n; j++) {                                                                  \
            const double *p_bin = p_rows + j * FD_ROWS, *q_bin = q_rows + j * FD_ROWS;                       \
            double *by_p = by_p_rows + j * FD_ROWS, *by_q = by_q_rows + j * FD_ROWS;                         \
            double *x = xs[j % FD_LANES], *y = ys[j % FD_LANES];                                             \
            const double *x_before = j < FD_LANES ? fd_no_part : x,                                          \
                         *y_before = j < FD_LANES ? fd_no_part : y;                                          \
            fd_fetch_lanes(p_ahead + j * p_step);                                                            \
            fd_fetch_lanes(q_ahead + j * q_step);                                                            \
            fd_fetch_lanes(by_p_ahead + j * FD_ROWS * (ptrdiff_t)sizeof(double));                            \
            fd_fetch_lanes(by_q_ahead + j * FD_ROWS * (ptrdiff_t)sizeof(double));                            \
            _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {                                    \
                fd_slopes s = fd_log_lane_slope_##name(p_bin[row], q_bin[row], &pairs, row);                 \
                by_p[row] = s.by_x;                                                                          \
                by_q[row] = s.by_y;                                                                          \
                x[row] = x_before[row] + s.by_x;                                                             \
                y[row] = y_before[row] + s.by_y;                                                             \
            }                                                                                                \
        }                                                                                                    \
        fd_fold_rows(xs, x_sums);                                                                            \
        fd_fold_rows(ys, y_sums);                                                                            \
    }

FD_SUMMED(FD_LOG_LANE_SLOPE_LOOP)
FD_LOG_LANE_SLOPE_LOOP(entropy)
#undef FD_LOG_LANE_SLOPE_LOOP
#undef FD_PAIR_OF_LOG_LANE
#undef FD_PAIR_OF_LANE
#undef FD_SLOPE_LOOPS_OF
#undef FD_SLOPE_LOOP

/* Takes the mean off slopes and scales them; the least size of any, before scaling. */
static double fd_settle_loop(double *slopes, ptrdiff_t n, double mean, const double *scale) {
    double first = scale[0], second = scale[1], third = scale[2], least = INFINITY;
#pragma omp simd reduction(min : least)
    for (ptrdiff_t i = 0; i < n; i++) {
        double slope = slopes[i] - mean, size = fabs(slope);
        least = size < least ? size : least;
        slopes[i] = slope * first * second * third;
    }
    return least;
}

/* Of numbers side by side the rows `which` again, row i at out + i pitch. */
FD_INLINE void fd_lay_back(const double *in, ptrdiff_t n, unsigned which, double *out, ptrdiff_t pitch) {
    for (int first = 0; which >> first; first += FD_TURNED) {
        if ((which >> first & 15) == 15) {
            fd_turn(in + first, FD_ROWS, n, out + first * pitch, pitch);
            continue;
        }
        for (int row = first; row < first + FD_TURNED; row++)
            for (ptrdiff_t j = 0; which >> row & 1 && j < n; j++)
                out[row * pitch + j] = in[j * FD_ROWS + row];
    }
}

/* The same of rows side by side, which are then rows again. */
static void fd_settle_lanes_loop(double *slopes, ptrdiff_t n, const double *mean_in, const double *scale_in,
                                 unsigned which, double *out, ptrdiff_t pitch, double *least_out) {
    double mean[FD_ROWS], scale[FD_ROWS], least[FD_ROWS];
    for (int row = 0; row < FD_ROWS; row++)
        least[row] = INFINITY;
    if (mean_in) {
        fd_copy_rows(mean, mean_in);
        fd_copy_rows(scale, scale_in);
    }
    for (ptrdiff_t j = 0; mean_in && j < n; j++) {
        double *bin = slopes + j * FD_ROWS;
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
            double slope = bin[row] - mean[row], size = fabs(slope);
            least[row] = size < least[row] ? size : least[row];
            bin[row] = slope * scale[row];
        }
    }
    fd_lay_back(slopes, n, which, out, pitch);
    fd_copy_rows(least_out, least);
}

/* The same of products with the mass exp(log - max - rest). */
static void fd_log_settle_loop(double *slopes, const double *logs, ptrdiff_t n, double max, double rest,
                               double mean, const double *scale) {
    double first = scale[0], second = scale[1], third = scale[2];
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        slopes[i] = (slopes[i] - fd_exp((logs[i] - max) - rest) * mean) * first * second * third;
}

static void fd_log_settle_lanes_loop(double *slopes, const double *logs, ptrdiff_t n,
                                     const fd_lane_stats *stats, const double *mean_in,
                                     const double *scale_in, unsigned which, double *out, ptrdiff_t pitch) {
    double max[FD_ROWS], rest[FD_ROWS], mean[FD_ROWS], scale[FD_ROWS];
    fd_copy_rows(max, stats->max);
    fd_copy_rows(rest, stats->log);
    fd_copy_rows(mean, mean_in);
    fd_copy_rows(scale, scale_in);
    for (ptrdiff_t j = 0; j < n; j++) {
        double *bin = slopes + j * FD_ROWS;
        const double *log = logs + j * FD_ROWS;
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) bin[row] =
            (bin[row] - fd_exp((log[row] - max[row]) - rest[row]) * mean[row]) * scale[row];
    }
    fd_lay_back(slopes, n, which, out, pitch);
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

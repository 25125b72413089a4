/* The loops over bins of FD_ROWS rows at once, one row a lane, compiled once per instruction set (levels/).
 *
 * Rows lie side by side, [bin][row]. Each row's terms are added in the order of loops.h, bin j to the sum j mod
 * FD_LANES and these in the tree of fd_fold, so a row's value is the same bits by either way. (Bins that pad a row
 * there add 0.)
 */
#ifndef FD_LANE_LOOPS_H
#define FD_LANE_LOOPS_H

#include "rows/loops.h"
#include "rows/turn.h"

/* What is added to first: so only parts without a bin have to be cleared. */
static const double fd_no_part[FD_ROWS] = {0.0};

/* Zeros that gcc does not know for such: of those it makes rep stos, which takes 20 ns to start. */
FD_INLINE void fd_clear_parts(double (*parts)[FD_ROWS], ptrdiff_t n) {
    static const volatile double hidden = 0.0;
    const double zero = hidden;
    for (ptrdiff_t k = n; k < FD_LANES; k++)
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) parts[k][row] = zero;
}

/* fd_fold of each row, a part of FD_ROWS after another. */
FD_INLINE void fd_fold_parts(const double *const *a, double *sums) {
    _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
        double s0 = (a[0][row] + a[8][row]) + (a[4][row] + a[12][row]);
        double s2 = (a[2][row] + a[10][row]) + (a[6][row] + a[14][row]);
        double s1 = (a[1][row] + a[9][row]) + (a[5][row] + a[13][row]);
        double s3 = (a[3][row] + a[11][row]) + (a[7][row] + a[15][row]);
        sums[row] = (s0 + s2) + (s1 + s3);
    }
}

FD_INLINE void fd_fold_rows(double (*parts)[FD_ROWS], double *sums) {
    const double *part_of[FD_LANES];
    for (int k = 0; k < FD_LANES; k++)
        part_of[k] = parts[k];
    fd_fold_parts(part_of, sums);
}

/* Asks for the FD_ROWS numbers there, of the next rows, which seldom begin with a line of the cache: rows side by side
 * are read in an order that no machine foresees, and while terms are computed memory is idle. Into the second cache: the
 * first may not hold them all, nor as many requests. */
FD_INLINE void fd_fetch_lanes(const char *at) {
#if defined(__GNUC__)
    __builtin_prefetch(at, 0, 2);
    __builtin_prefetch(at + 64, 0, 2);
    __builtin_prefetch(at + 127, 0, 2);
#endif
}

FD_INLINE void fd_copy_rows(double *out, const double *in) {
    _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) out[row] = in[row];
}

/* By the field, so that only those which a term has are copied: a struct is copied by rep movs, whose start costs more. */
FD_INLINE void fd_copy_pairs(fd_pairs *out, const fd_pairs *in) {
    fd_copy_rows(out->c_hi, in->c_hi);
    fd_copy_rows(out->c_lo, in->c_lo);
    fd_copy_rows(out->s_hi, in->s_hi);
    fd_copy_rows(out->s_lo, in->s_lo);
    fd_copy_rows(out->w_p, in->w_p);
    fd_copy_rows(out->w_q, in->w_q);
    fd_copy_rows(out->divergence, in->divergence);
    fd_copy_rows(out->pivot, in->pivot);
    out->none_x = in->none_x;
    out->none_y = in->none_y;
    out->undecided = in->undecided;
    out->is_raw = in->is_raw;
    out->order = in->order;
}

FD_INLINE void fd_copy_log_pairs(fd_pairs *out, const fd_pairs *in) {
    fd_copy_pairs(out, in);
    fd_copy_rows(out->max_p, in->max_p);
    fd_copy_rows(out->max_q, in->max_q);
    fd_copy_rows(out->log_p, in->log_p);
    fd_copy_rows(out->log_q, in->log_q);
    fd_copy_rows(out->shift, in->shift);
    fd_copy_rows(out->shift_lo, in->shift_lo);
}

/* What all terms have of a pair, and terms of logarithms besides. */
#define FD_PAIR_OF_LANE                                                                                      \
    .c_hi = pairs->c_hi[row], .c_lo = pairs->c_lo[row], .s_hi = pairs->s_hi[row], .s_lo = pairs->s_lo[row],  \
    .w_p = pairs->w_p[row], .w_q = pairs->w_q[row], .order = pairs->order
#define FD_PAIR_OF_LOG_LANE                                                                                  \
    FD_PAIR_OF_LANE, .max_p = pairs->max_p[row], .max_q = pairs->max_q[row], .log_p = pairs->log_p[row],     \
        .log_q = pairs->log_q[row], .shift = pairs->shift[row], .shift_lo = pairs->shift_lo[row]

/* The sum over n <= FD_BLOCK bins of a term. (A pair that is made within a simd loop, or pairs that are not a copy
 * here, are what gcc does not vectorise.) */
#define FD_LANE_LOOP(name, term, copy_pairs, ...)                                                            \
    FD_INLINE double name##_term(double p, double q, const fd_pairs *pairs, int row) {                       \
        const fd_pair pair = {__VA_ARGS__};                                                                  \
        return term(p, q, &pair);                                                                            \
    }                                                                                                        \
    static void name(const double *p_rows, const double *q_rows, ptrdiff_t n, const fd_pairs *pairs_in,      \
                     double *sums) {                                                                         \
        const char *p_ahead = pairs_in->p_ahead, *q_ahead = pairs_in->q_ahead;                               \
        const ptrdiff_t p_step = pairs_in->p_ahead_step, q_step = pairs_in->q_ahead_step;                    \
        fd_pairs pairs;                                                                                      \
        double parts[FD_LANES][FD_ROWS];                                                                     \
        copy_pairs(&pairs, pairs_in);                                                                        \
        fd_clear_parts(parts, n);                                                                            \
        for (ptrdiff_t j = 0; j < n; j++) {                                                                  \
            const double *p = p_rows + j * FD_ROWS, *q = q_rows + j * FD_ROWS;                               \
            double *part = parts[j % FD_LANES];                                                              \
            const double *before = j < FD_LANES ? fd_no_part : part;                                         \
            fd_fetch_lanes(p_ahead + j * p_step);                                                            \
            fd_fetch_lanes(q_ahead + j * q_step);                                                            \
            _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) part[row] =                          \
                before[row] + name##_term(p[row], q[row], &pairs, row);                                      \
        }                                                                                                    \
        fd_fold_rows(parts, sums);                                                                           \
    }

#define FD_LANE_LOOPS(name, ...)                                                                             \
    FD_LANE_LOOP(fd_lane_sum_##name, fd_##name##_of_masses, fd_copy_pairs, FD_PAIR_OF_LANE)                  \
    FD_LANE_LOOP(fd_lane_log_sum_##name, fd_##name##_of_logs, fd_copy_log_pairs, FD_PAIR_OF_LOG_LANE)

FD_SUMMED(FD_LANE_LOOPS)
FD_HELPERS(FD_LANE_LOOPS)
#undef FD_LANE_LOOPS
#undef FD_LANE_LOOP

/* What is odd of rows, of whose numbers the least is `raw`, and of whose positive masses `least`. */
FD_INLINE void fd_mark_odd(const double *raw, const double *least, fd_lane_stats *stats) {
    _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
        double odd = raw[row] < 0.0 ? 1.0 : 0.0;
        stats->odd[row] = least[row] < FD_MASS_MIN ? 1.0 : odd;
    }
}

/* n <= FD_LANES bins, `pitch` from bin to bin, as x + add, -0 to 0, and what stats say of them; x and `out` may be the
 * same. The bins are the parts themselves. */
FD_INLINE void fd_weigh_few(const double *x, ptrdiff_t pitch, ptrdiff_t n, double add, double *out,
                            fd_lane_stats *stats) {
    double raw[FD_ROWS], least[FD_ROWS];
    const double *part_of[FD_LANES];
    for (int k = 0; k < FD_LANES; k++)
        part_of[k] = k < n ? out + k * FD_ROWS : fd_no_part;
    for (int row = 0; row < FD_ROWS; row++)
        raw[row] = least[row] = INFINITY;
    for (ptrdiff_t j = 0; j < n; j++) {
        const double *bin = x + j * pitch;
        double *to = out + j * FD_ROWS;
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
            double given = bin[row], mass = given + add, positive = mass > 0.0 ? mass : INFINITY;
            to[row] = mass;
            raw[row] = given < raw[row] ? given : raw[row];
            least[row] = positive < least[row] ? positive : least[row];
        }
    }
    fd_fold_parts(part_of, stats->sum);
    fd_mark_odd(raw, least, stats);
}

/* The same of n <= FD_BLOCK, part after part, each in registers. Where bin came after bin, `out` and parts in memory had
 * every address modulo 4096 in the store buffer, and each load of x waited for a store that ends in the same 12 bits. */
FD_INLINE void fd_weigh_many(const double *x, ptrdiff_t pitch, ptrdiff_t n, double add, double *out,
                             fd_lane_stats *stats) {
    double parts[FD_LANES][FD_ROWS], raw[FD_ROWS], least[FD_ROWS];
    for (int row = 0; row < FD_ROWS; row++)
        raw[row] = least[row] = INFINITY;
    for (int k = 0; k < FD_LANES; k++) {
        double part[FD_ROWS] = {0.0};
        for (ptrdiff_t j = k; j < n; j += FD_LANES) {
            const double *bin = x + j * pitch;
            double *to = out + j * FD_ROWS;
            _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
                double given = bin[row], mass = given + add, positive = mass > 0.0 ? mass : INFINITY;
                to[row] = mass;
                part[row] += mass;
                raw[row] = given < raw[row] ? given : raw[row];
                least[row] = positive < least[row] ? positive : least[row];
            }
        }
        fd_copy_rows(parts[k], part);
    }
    fd_fold_rows(parts, stats->sum);
    fd_mark_odd(raw, least, stats);
}

static void fd_lane_stats_loop(const double *x, ptrdiff_t pitch, ptrdiff_t n, double add, double *out,
                               fd_lane_stats *stats) {
    if (n <= FD_LANES)
        fd_weigh_few(x, pitch, n, add, out, stats);
    else
        fd_weigh_many(x, pitch, n, add, out, stats);
}

/* The first difference between p_i sum(q) and q_i sum(p), 0 if there is none (fd_in_order). */
static void fd_lane_order_loop(const double *p, const double *q, ptrdiff_t n, const double *p_total,
                               const double *q_total, double *first) {
    double open = 1.0;
    for (int row = 0; row < FD_ROWS; row++)
        first[row] = 0.0;
    for (ptrdiff_t j = 0; j < n && open != 0.0; j++) {
        const double *p_bin = p + j * FD_ROWS, *q_bin = q + j * FD_ROWS;
        open = 0.0;
        _Pragma("omp simd reduction(+ : open)") for (int row = 0; row < FD_ROWS; row++) {
            double difference = p_bin[row] * q_total[row] - q_bin[row] * p_total[row];
            first[row] = fabs(first[row]) > 0.0 ? first[row] : difference; /* NaN: both -inf, so equal */
            open += fabs(first[row]) > 0.0 ? 0.0 : 1.0;
        }
    }
}

/* Exchanges the rows with a negative sign. */
static void fd_lane_swap_loop(double *p, double *q, ptrdiff_t n, const double *sign) {
    for (ptrdiff_t j = 0; j < n; j++) {
        double *p_bin = p + j * FD_ROWS, *q_bin = q + j * FD_ROWS;
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) {
            double x = p_bin[row], y = q_bin[row];
            p_bin[row] = sign[row] < 0.0 ? y : x;
            q_bin[row] = sign[row] < 0.0 ? x : y;
        }
    }
}

/* Rows of contiguous `scalar` numbers (view.h), `step` of them apart, side by side as doubles. */
static void fd_lane_turn_loop(const void *rows, int scalar, ptrdiff_t step, ptrdiff_t n, double *out) {
    if (scalar == FD_FLOAT64 && n >= FD_TURNED) {
        for (ptrdiff_t j = 0; j < n; j += FD_TURNED) {
            ptrdiff_t at = j < n - FD_TURNED ? j : n - FD_TURNED;
            for (int row = 0; row < FD_ROWS; row += 2 * FD_TURNED)
                fd_turn_tiles((const double *)rows + row * step + at, step, out + at * FD_ROWS + row,
                              FD_ROWS);
        }
        return;
    }
    switch (scalar) {
#define FD_TURN(name, type)                                                                                  \
case name:                                                                                                   \
    for (ptrdiff_t j = 0; j < n; j++) {                                                                      \
        const type *first = (const type *)rows + j;                                                          \
        double *bin = out + j * FD_ROWS;                                                                     \
        _Pragma("omp simd") for (int row = 0; row < FD_ROWS; row++) bin[row] = (double)first[row * step];    \
    }                                                                                                        \
    break;
        FD_SCALARS(FD_TURN)
#undef FD_TURN
    }
}

#endif

/* The loops of matrices, over pairs of rows that prepare.c has made ready: padded to a multiple of FD_LANES,
 * aligned, ordinary. Compiled once per instruction set (levels/).
 *
 * What a pair comes to does not depend on the pairs beside it: each of its sums runs over the bins in the
 * same order wherever the pair stands in a tile, so tiles, threads and chunks leave the bits alone.
 */
#include "math/log.h"
#include "matrix/table.h"
#include "rows/loops.h"
#include "rows/table.h"
#ifdef FD_AVX512
#    include "math/log_table.h"
#endif

static void fd_log2_loop(const double *x, double *out, ptrdiff_t n) {
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = fd_log2(x[i]);
}

/* Whether 16 bins in the middle of two rows, none empty in both, are within a quarter of each other: then the
 * rows are taken for near-identical, and the sum that would lose its digits is spared. */
static int fd_look_near(const double *p, const double *q, ptrdiff_t width) {
    int far = 0;
    p += width / (2 * FD_LANES) * FD_LANES;
    q += width / (2 * FD_LANES) * FD_LANES;
    _Pragma("omp simd reduction(| : far)") for (int lane = 0; lane < FD_LANES; lane++) far |=
        !(fabs(p[lane] - q[lane]) <= 0.125 * (p[lane] + q[lane]) - 0x1p-380);
    return !far;
}

/* lanes -= m log2 m,    m = p + q, over n bins: a multiple of 2 FD_LANES, at most FD_JS_BLOCK. */
#ifdef FD_AVX512
FD_INLINE void fd_take_mixture(const double *p, const double *q, ptrdiff_t n, double *lanes) {
    __m512d low = _mm512_loadu_pd(lanes), high = _mm512_loadu_pd(lanes + FD_LANES / 2);
    for (ptrdiff_t i = 0; i < n; i += FD_LANES) {
        __m512d m = _mm512_add_pd(_mm512_loadu_pd(p + i), _mm512_loadu_pd(q + i));
        __m512d m2 =
            _mm512_add_pd(_mm512_loadu_pd(p + i + FD_LANES / 2), _mm512_loadu_pd(q + i + FD_LANES / 2));
        low = _mm512_fnmadd_pd(m, fd_table_log2(m), low);
        high = _mm512_fnmadd_pd(m2, fd_table_log2(m2), high);
    }
    _mm512_storeu_pd(lanes, low);
    _mm512_storeu_pd(lanes + FD_LANES / 2, high);
}

FD_INLINE void fd_take_mixture32(const float *p, const float *q, ptrdiff_t n, float *lanes) {
    __m512 sum = _mm512_loadu_ps(lanes);
    for (ptrdiff_t i = 0; i < n; i += FD_LANES) {
        __m512 m = _mm512_add_ps(_mm512_loadu_ps(p + i), _mm512_loadu_ps(q + i));
        sum = _mm512_fnmadd_ps(m, fd_table_log2_32(m), sum);
    }
    _mm512_storeu_ps(lanes, sum);
}
#else
/* Two bins share a division, 1/(d e) times e and d: a division takes as long as the rest of a bin. */
FD_INLINE void fd_take_mixture(const double *p, const double *q, ptrdiff_t n, double *lanes) {
    enum { HALF = FD_LANES / 2 };
    for (ptrdiff_t i = 0; i < n; i += FD_LANES) {
        _Pragma("omp simd") for (int lane = 0; lane < HALF; lane++) {
            ptrdiff_t at = i + lane, too = at + HALF;
            double m = p[at] + q[at], m2 = p[too] + q[too];
            fd_log_parts l = fd_split_log(m), l2 = fd_split_log(m2);
            double both = 1.0 / (l.d * l2.d);
            lanes[lane] = fd_madd(-m, fd_join_log(l.k, l.n * (both * l2.d)), lanes[lane]);
            lanes[lane + HALF] = fd_madd(-m2, fd_join_log(l2.k, l2.n * (both * l.d)), lanes[lane + HALF]);
        }
    }
}

FD_INLINE void fd_take_mixture32(const float *p, const float *q, ptrdiff_t n, float *lanes) {
    for (ptrdiff_t i = 0; i < n; i += 2 * FD_LANES) {
        _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
            ptrdiff_t at = i + lane, too = at + FD_LANES;
            float m = p[at] + q[at], m2 = p[too] + q[too];
            fd_log_parts32 l = fd_split_log32(m), l2 = fd_split_log32(m2);
            float both = 1.0f / (l.d * l2.d);
            float sum = fd_madd32(-m, fd_join_log32(l.k, l.n * (both * l2.d)), lanes[lane]);
            lanes[lane] = fd_madd32(-m2, fd_join_log32(l2.k, l2.n * (both * l.d)), sum);
        }
    }
}
#endif

/* Jensen-Shannon of row p and `rows` rows q, `step` entries apart, all of halves h = p/2: the sum of
 * h_p log2 2h_p + h_q log2 2h_q - m log2 m,    m = h_p + h_q. The first two were added up for each row, lane
 * by lane in blocks of FD_JS_BLOCK bins, so one logarithm a bin remains, and what a block comes to is small
 * again: it is >= 0 but for its own rounding. -1, with `look`, for rows that look near-identical.
 */
static void fd_js_rows(const double *p, const double *p_blocks, const double *q, const double *q_blocks,
                       ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, int look,
                       double *sums) {
    for (int row = 0; row < rows; row++, q += step, q_blocks += blocks_step) {
        double total[FD_LANES] = {0}, lanes[FD_LANES];
        if (look && fd_look_near(p, q, width)) {
            sums[row] = -1.0;
            continue;
        }
        for (ptrdiff_t i = 0; i < width; i += FD_JS_BLOCK) {
            const double *a = p_blocks + i / FD_JS_BLOCK * FD_LANES;
            const double *b = q_blocks + i / FD_JS_BLOCK * FD_LANES;
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) lanes[lane] = a[lane] + b[lane];
            fd_take_mixture(p + i, q + i, width - i < FD_JS_BLOCK ? width - i : FD_JS_BLOCK, lanes);
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) total[lane] += lanes[lane];
        }
        sums[row] = fd_fold(total);
    }
}

/* The same in single precision; four blocks at most before a lane is taken into a double. */
static void fd_js_rows32(const float *p, const float *p_blocks, const float *q, const float *q_blocks,
                         ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, double *sums) {
    for (int row = 0; row < rows; row++, q += step, q_blocks += blocks_step) {
        double total[FD_LANES] = {0};
        for (ptrdiff_t start = 0; start < width; start += 4 * FD_JS_BLOCK) {
            ptrdiff_t end = start + 4 * FD_JS_BLOCK < width ? start + 4 * FD_JS_BLOCK : width;
            float part[FD_LANES] = {0}, lanes[FD_LANES];
            for (ptrdiff_t i = start; i < end; i += FD_JS_BLOCK) {
                const float *a = p_blocks + i / FD_JS_BLOCK * FD_LANES;
                const float *b = q_blocks + i / FD_JS_BLOCK * FD_LANES;
                _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) lanes[lane] =
                    a[lane] + b[lane];
                fd_take_mixture32(p + i, q + i, end - i < FD_JS_BLOCK ? end - i : FD_JS_BLOCK, lanes);
                _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) part[lane] += lanes[lane];
            }
            for (int lane = 0; lane < FD_LANES; lane++)
                total[lane] += part[lane];
        }
        sums[row] = fd_fold(total);
    }
}

/* Jensen-Shannon of near-identical masses by its terms of second order,
 *     s phi(t) = d t (1 + z/6 + z^2/15 + ...),    s = x + y, d = x - y, t = d/s, z = t^2,
 * on the scale of p as in measures.h, in nats, 4 sum p times the divergence. For z <= 1/64; -1 as soon as a
 * bin is beyond. Two bins share a division; `none` is an empty bin's s, whose square is a double. */
static double fd_js_near(const double *p, const double *q, ptrdiff_t n, double c_hi, double c_lo,
                         double none) {
    enum { HALF = FD_LANES / 2 };
    double lanes[FD_LANES] = {0}, p_tail[FD_LANES], q_tail[FD_LANES];
    for (ptrdiff_t start = 0; start < n; start += 8 * FD_LANES) {
        double most[HALF] = {0};
        for (ptrdiff_t i = start; i < n && i < start + 8 * FD_LANES; i += FD_LANES) {
            const double *x = p + i, *y = q + i;
            if (n - i < FD_LANES) {
                fd_pad(p_tail, x, n - i, 0.0);
                fd_pad(q_tail, y, n - i, 0.0);
                x = p_tail;
                y = q_tail;
            }
            _Pragma("omp simd") for (int lane = 0; lane < HALF; lane++) {
                double d = fd_difference(x[lane], y[lane], c_hi, c_lo);
                double d2 = fd_difference(x[lane + HALF], y[lane + HALF], c_hi, c_lo);
                double s = fd_madd(2.0, x[lane], none - d), s2 = fd_madd(2.0, x[lane + HALF], none - d2);
                double both = 1.0 / (s * s2), t = d * (both * s2), t2 = d2 * (both * s);
                double z = t * t, z2 = t2 * t2, top = z > z2 ? z : z2;
                most[lane] = top > most[lane] ? top : most[lane];
                lanes[lane] += d * fd_madd(t * z, fd_phi_tail(z), t);
                lanes[lane + HALF] += d2 * fd_madd(t2 * z2, fd_phi_tail(z2), t2);
            }
        }
        double top = 0.0;
        for (int lane = 0; lane < HALF; lane++)
            top = most[lane] > top ? most[lane] : top;
        if (!(top <= 0x1p-6))
            return -1.0;
    }
    return fd_fold(lanes);
}

/* s + |x - y|. The addition is a fused one by `one`, which rounds the same: multipliers have nothing else to do here,
 * and adders (of which Zen 4 has one for each multiplier) only have the difference left. Where one unit does both, as
 * in Intel's, three operations take three times as long as the one of a product whatever they are called. */
FD_INLINE double fd_add_distance(double x, double y, double one, double s) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(one, fabs(x - y), s);
#else
    return s + fabs(x - y);
#endif
}

/* sum |p - q| of `rows` rows p and `columns` rows q over n bins, added to sums unless they are `first`. Each pair has
 * FD_LANES sums, as many of them at a time as registers hold: an entry that is loaded serves several pairs. */
FD_INLINE void fd_l1_block(const double *p, const double *q, ptrdiff_t step, int rows, int columns,
                           ptrdiff_t n, double *sums, ptrdiff_t sums_step, int first, double one) {
    double lanes[FD_L1_ROWS][FD_L1_COLUMNS][FD_LANES];
    for (int at = 0; at < FD_LANES; at += FD_L1_LANES) {
        double s[FD_L1_ROWS][FD_L1_COLUMNS][FD_L1_LANES] = {{{0}}};
        for (ptrdiff_t i = at; i < n; i += FD_LANES) {
            _Pragma("GCC unroll 8") for (int row = 0; row < rows; row++) {
                _Pragma("GCC unroll 8") for (int column = 0; column < columns; column++) {
                    const double *x = p + row * step + i, *y = q + column * step + i;
                    _Pragma("omp simd") for (int lane = 0; lane < FD_L1_LANES; lane++) s[row][column][lane] =
                        fd_add_distance(x[lane], y[lane], one, s[row][column][lane]);
                }
            }
        }
        _Pragma("GCC unroll 8") for (int row = 0; row < rows; row++) {
            _Pragma("GCC unroll 8") for (int column = 0; column < columns; column++) {
                _Pragma("omp simd") for (int lane = 0; lane < FD_L1_LANES; lane++)
                    lanes[row][column][at + lane] = s[row][column][lane];
            }
        }
    }
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            double *sum = sums + row * sums_step + column, part = fd_fold(lanes[row][column]);
            *sum = first ? part : *sum + part;
        }
}

static void fd_l1_rows(const double *p, int rows, const double *q, int columns, ptrdiff_t step, ptrdiff_t n,
                       double *sums, ptrdiff_t sums_step, int first) {
    enum { ROWS = FD_L1_ROWS, COLUMNS = FD_L1_COLUMNS };
    static const volatile double hidden = 1.0; /* or the compiler would see that it is none */
    const double one = hidden;
    for (int row = 0, some; row < rows; row += some, p += some * step, sums += some * sums_step) {
        const double *y = q;
        int column = 0;
        some = rows - row < ROWS ? 1 : ROWS;
        for (; column + COLUMNS <= columns; column += COLUMNS, y += COLUMNS * step)
            if (some == ROWS)
                fd_l1_block(p, y, step, ROWS, COLUMNS, n, sums + column, sums_step, first, one);
            else
                fd_l1_block(p, y, step, 1, COLUMNS, n, sums + column, sums_step, first, one);
        for (; column < columns; column++, y += step)
            for (int k = 0; k < some; k++)
                fd_l1_block(p + k * step, y, step, 1, 1, n, sums + k * sums_step + column, sums_step, first,
                            one);
    }
}

/* Scalar products of `rows` rows, `step` apart (a multiple of ROWS can be read), with a panel of FD_LANES rows
 * packed bin by bin. ROWS is what the registers hold. In blocks of FD_DOT_BLOCK bins: the error is
 * (FD_DOT_BLOCK + width/FD_DOT_BLOCK) u of sum |x y| at most. */
#define FD_DOT_LOOPS(name, real, madd, ROWS)                                                                 \
    FD_INLINE void name##_block(const real *restrict left, ptrdiff_t step, const real *restrict panel,       \
                                ptrdiff_t n, real *restrict sums, ptrdiff_t sums_step, int first) {          \
        real s[ROWS][FD_LANES] = {{0}};                                                                      \
        for (ptrdiff_t i = 0; i < n; i++, panel += FD_LANES) {                                               \
            _Pragma("GCC unroll 16") for (int row = 0; row < ROWS; row++) {                                  \
                real x = left[row * step + i];                                                               \
                _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) s[row][lane] =               \
                    madd(x, panel[lane], s[row][lane]);                                                      \
            }                                                                                                \
        }                                                                                                    \
        _Pragma("GCC unroll 16") for (int row = 0; row < ROWS; row++) {                                      \
            real *sum = sums + row * sums_step;                                                              \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) sum[lane] =                      \
                first ? s[row][lane] : sum[lane] + s[row][lane];                                             \
        }                                                                                                    \
    }                                                                                                        \
                                                                                                             \
    static void name##_rows(const real *left, ptrdiff_t step, int rows, const real *panel, ptrdiff_t width,  \
                            real *sums, ptrdiff_t sums_step, int first) {                                    \
        for (int row = 0; row < rows; row += ROWS)                                                           \
            for (ptrdiff_t start = 0; start < width; start += FD_DOT_BLOCK) {                                \
                ptrdiff_t n = width - start < FD_DOT_BLOCK ? width - start : FD_DOT_BLOCK;                   \
                name##_block(left + row * step + start, step, panel + start * FD_LANES, n,                   \
                             sums + row * sums_step, sums_step, first && start == 0);                        \
            }                                                                                                \
    }

FD_DOT_LOOPS(fd_dot, double, fd_madd, FD_DOT_ROWS)
FD_DOT_LOOPS(fd_dot32, float, fd_madd32, 2 * FD_DOT_ROWS)

/* A lower bound of Jensen-Shannon, bits, from the fourth roots x, y of shares, w = x y (nearest.c):
 *     A (1 - sum w^2) - B (1 - sum w (x^2 + y^2)/2),
 * less what single precision may have added: a root of a root is good to 1.75u, a term to 16u, a lane to 32u. */
static double fd_js_least(const float *p, const float *q, ptrdiff_t width) {
    const float a = (float)FD_LEAST_A, half_b = (float)(0.5 * FD_LEAST_B);
    double total[FD_LANES] = {0};
    for (ptrdiff_t start = 0; start < width; start += 32 * FD_LANES) {
        ptrdiff_t end = start + 32 * FD_LANES < width ? start + 32 * FD_LANES : width;
        float lanes[FD_LANES] = {0};
        for (ptrdiff_t i = start; i < end; i += FD_LANES) {
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
                float x = p[i + lane], y = q[i + lane], w = x * y;
                float both = half_b * fd_madd32(x, x, y * y);
                lanes[lane] = fd_madd32(w, fd_madd32(-a, w, both), lanes[lane]);
            }
        }
        for (int lane = 0; lane < FD_LANES; lane++)
            total[lane] += lanes[lane];
    }
    return (FD_LEAST_A - FD_LEAST_B) + fd_fold(total) - 64.0 * 0x1p-24 * (FD_LEAST_A + FD_LEAST_B);
}

/* Sums of |x - y| over FD_LANES entries x of one row and y of n rows, packed in panels. */
static void fd_l1_panels(const double *x, const double *panel, ptrdiff_t n, double *sums) {
    for (ptrdiff_t j = 0; j < n; j += FD_LANES, panel += FD_LANES * FD_LANES) {
        double s[FD_LANES] = {0};
#pragma GCC unroll 4
        for (int entry = 0; entry < FD_LANES; entry++) {
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) s[lane] +=
                fabs(x[entry] - panel[entry * FD_LANES + lane]);
        }
        memcpy(sums + j, s, sizeof s);
    }
}

/* The places of the values up to `reach`, in order; how many they are. Blocks without any are passed over. */
static int fd_places_within(const double *values, int n, double reach, int *places) {
    int found = 0, i = 0;
    for (; i + FD_LANES <= n; i += FD_LANES) {
        int any = 0;
        _Pragma("omp simd reduction(| : any)") for (int lane = 0; lane < FD_LANES; lane++) any |=
            values[i + lane] <= reach;
        for (int lane = 0; lane < FD_LANES && any; lane++)
            if (values[i + lane] <= reach)
                places[found++] = i + lane;
    }
    for (; i < n; i++)
        if (values[i] <= reach)
            places[found++] = i;
    return found;
}

/* 1 - overlap - slack as doubles, a lower bound; -1 where a row has none (an infinite limit). */
static void fd_overlap_bounds(const float *overlaps, int n, double slack, double limit, const double *limits,
                              double *bounds) {
    _Pragma("omp simd") for (int i = 0; i < n; i++) bounds[i] =
        limit + limits[i] < INFINITY ? 1.0 - slack - overlaps[i] : -1.0;
}

/* Sums of a tile's row into values (table.h); -1 where digits were lost. How many those are. */
static int fd_finish_row(double *values, int n, const fd_finish *finish, double constant, double limit,
                         const double *constants, const double *limits) {
    const fd_finish f = *finish;
    double lost = 0.0;
    if (f.log) {
        _Pragma("omp simd") for (int i = 0; i < n; i++) values[i] =
            fd_log2(values[i] > FD_TINY ? values[i] : FD_TINY);
    }
    _Pragma("omp simd reduction(+ : lost)") for (int i = 0; i < n; i++) {
        double d = f.base + (constant + constants[i]) + f.factor * values[i];
        double value = d >= f.top ? 1.0 : d;
        value = value * f.unit_hi + value * f.unit_lo;
        double most = d <= f.most ? value : -1.0; /* in two steps, and counted in doubles: no masks to move */
        value = d >= limit + limits[i] ? most : -1.0;
        lost += value == -1.0 ? 1.0 : 0.0;
        values[i] = value;
    }
    if (f.root) {
        _Pragma("omp simd") for (int i = 0; i < n; i++) values[i] = values[i] >= 0.0 ? sqrt(values[i]) : -1.0;
    }
    return (int)lost;
}

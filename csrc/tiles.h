/* The loops of matrices, over pairs of rows that matrix.c has prepared: padded to a multiple of FD_LANES,
 * aligned, ordinary. Compiled once per instruction set by isa_*.c.
 *
 * What a pair comes to does not depend on the pairs beside it: each of its sums runs over the bins in the same
 * order wherever the pair stands in a tile, so tiles, threads and chunks leave the bits alone.
 */
#ifndef FD_TILES_H
#define FD_TILES_H

#include "kernels.h"
#include "log.h"

/* log2 of a positive normal number, exact to 1 ulp near 1 too: x = 2^k (1+t)/(1-t) with |t| <= 1/5, k the
 * exponent rounded as in fd_split_ratio. */
FD_INLINE double fd_log2(double x) {
    const uint64_t one = (uint64_t)1 << 52;
    uint64_t biased = (fd_bits(x) + one + one / 2) >> 52; /* k + 1024 */
    double k = fd_from_bits(biased | 0x4330000000000000u) - (0x1p52 + 1024.0);
    double power = fd_from_bits((biased - 1) << 52);
    double t = (x - power) / (x + power), z = t * t;
    return fd_madd(2.0 * FD_LOG2_E, fd_madd(t * z, fd_atanh_tail(z), t), k);
}

static void fd_log2_loop(const double *x, double *out, ptrdiff_t n) {
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = fd_log2(x[i]);
}

FD_INLINE float fd_madd32(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

/* The same in single precision, to 1.5 ulp: z <= 1/25, and the first term left out of the series is
 * z^5/11 < 1e-8. */
FD_INLINE float fd_log2_32(float x) {
    uint32_t bits, one = (uint32_t)1 << 23;
    memcpy(&bits, &x, sizeof bits);
    uint32_t biased = (bits + one + one / 2) >> 23; /* k + 128 */
    uint32_t power_bits = (biased - 1) << 23;
    float power, k = (float)((int32_t)biased - 128);
    memcpy(&power, &power_bits, sizeof power);
    float t = (x - power) / (x + power), z = t * t;
    float tail = fd_madd32(z * z, fd_madd32(z, 1.0f / 9, 1.0f / 7), fd_madd32(z, 0.2f, 1.0f / 3));
    return fd_madd32(2.8853900817779268f, fd_madd32(t * z, tail, t), k);
}

/* Jensen-Shannon of row p and `rows` rows q, `step` entries apart, all of halves h = p/2 with their h log2 2h:
 *     sum h_p log2 2h_p + h_q log2 2h_q - m log2 m,    m = h_p + h_q.
 * Every term is >= 0 but for its own rounding, so the sum adds no more than (width/16) u of itself. */
static void fd_js_rows(const double *p, const double *p_log, const double *q, const double *q_log,
                       ptrdiff_t step, int rows, ptrdiff_t width, double *sums) {
    for (int row = 0; row < rows; row++, q += step, q_log += step) {
        double lanes[FD_LANES] = {0};
        for (ptrdiff_t i = 0; i < width; i += FD_LANES) {
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
                double m = p[i + lane] + q[i + lane];
                lanes[lane] += (p_log[i + lane] + q_log[i + lane]) - m * fd_log2(m);
            }
        }
        sums[row] = fd_fold(lanes);
    }
}

/* The same in single precision; eight additions at most before a lane is taken into a double. */
static void fd_js_rows32(const float *p, const float *p_log, const float *q, const float *q_log,
                         ptrdiff_t step, int rows, ptrdiff_t width, double *sums) {
    for (int row = 0; row < rows; row++, q += step, q_log += step) {
        double total[FD_LANES] = {0};
        for (ptrdiff_t start = 0; start < width; start += 8 * FD_LANES) {
            ptrdiff_t end = start + 8 * FD_LANES < width ? start + 8 * FD_LANES : width;
            float lanes[FD_LANES] = {0};
            for (ptrdiff_t i = start; i < end; i += FD_LANES) {
                _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
                    float m = p[i + lane] + q[i + lane];
                    lanes[lane] += (p_log[i + lane] + q_log[i + lane]) - m * fd_log2_32(m);
                }
            }
            for (int lane = 0; lane < FD_LANES; lane++)
                total[lane] += lanes[lane];
        }
        sums[row] = fd_fold(total);
    }
}

/* sum |p - q| of row p and `rows` rows q, four at a time so that p is loaded once for four. */
static void fd_l1_rows(const double *p, const double *q, ptrdiff_t step, int rows, ptrdiff_t width,
                       double *sums) {
    int row = 0;
    for (; row + 4 <= rows; row += 4, q += 4 * step) {
        double a[FD_LANES] = {0}, b[FD_LANES] = {0}, c[FD_LANES] = {0}, d[FD_LANES] = {0};
        for (ptrdiff_t i = 0; i < width; i += FD_LANES) {
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
                double x = p[i + lane];
                a[lane] += fabs(x - q[i + lane]);
                b[lane] += fabs(x - q[i + lane + step]);
                c[lane] += fabs(x - q[i + lane + 2 * step]);
                d[lane] += fabs(x - q[i + lane + 3 * step]);
            }
        }
        sums[row] = fd_fold(a);
        sums[row + 1] = fd_fold(b);
        sums[row + 2] = fd_fold(c);
        sums[row + 3] = fd_fold(d);
    }
    for (; row < rows; row++, q += step) {
        double a[FD_LANES] = {0};
        for (ptrdiff_t i = 0; i < width; i += FD_LANES) {
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) a[lane] +=
                fabs(p[i + lane] - q[i + lane]);
        }
        sums[row] = fd_fold(a);
    }
}

/* Scalar products of FD_DOT_ROWS rows `step` apart with FD_LANES rows packed bin by bin, bins [0, n), added to
 * sums. FD_DOT_ROWS is what the registers hold. */
FD_INLINE void fd_dot_block(const double *restrict left, ptrdiff_t step, const double *restrict panel,
                            ptrdiff_t n, double *restrict sums, ptrdiff_t sums_step) {
    double s[FD_DOT_ROWS][FD_LANES] = {{0}};
    for (ptrdiff_t i = 0; i < n; i++, panel += FD_LANES) {
#pragma GCC unroll 16
        for (int row = 0; row < FD_DOT_ROWS; row++) {
            double x = left[row * step + i];
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) s[row][lane] =
                fd_madd(x, panel[lane], s[row][lane]);
        }
    }
    for (int row = 0; row < FD_DOT_ROWS; row++)
        for (int lane = 0; lane < FD_LANES; lane++)
            sums[row * sums_step + lane] += s[row][lane];
}

/* Scalar products of `rows` rows (a multiple of FD_DOT_ROWS can be read) with one panel. In blocks of
 * FD_DOT_BLOCK bins: the error is (FD_DOT_BLOCK + width/FD_DOT_BLOCK) u of sum |x y| at most. */
static void fd_dot_rows(const double *left, ptrdiff_t step, int rows, const double *panel, ptrdiff_t width,
                        double *sums, ptrdiff_t sums_step) {
    for (int row = 0; row < rows; row += FD_DOT_ROWS) {
        for (int i = row; i < row + FD_DOT_ROWS; i++)
            for (int lane = 0; lane < FD_LANES; lane++)
                sums[i * sums_step + lane] = 0.0;
        for (ptrdiff_t start = 0; start < width; start += FD_DOT_BLOCK) {
            ptrdiff_t n = width - start < FD_DOT_BLOCK ? width - start : FD_DOT_BLOCK;
            fd_dot_block(left + row * step + start, step, panel + start * FD_LANES, n, sums + row * sums_step,
                         sums_step);
        }
    }
}

#endif

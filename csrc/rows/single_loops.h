/* Rows of floats in single precision, a lane of floats where loops.h has one of doubles, compiled once per instruction
 * set (levels/): relative error at most 5e-6, against the 1e-12 there.
 *
 * With x = p and y = q c on one scale, s = x + y and t = |x - y|/s, a bin adds s h(t)/4 to Jensen-Shannon, nats,
 *
 *     h(t) = a log a + b log b,    a = 1 + t,  b = 1 - t,
 *
 * since a = x/m and b = y/m with m = s/2, or the other way round. Single precision loses, u = 2^-24:
 *     t    5u: the difference is known to 2u of itself however near the two are (fd_difference32), and so is s; that
 *          moves h, which is t^2 to first order, by 10u. Towards t = 1 it is b that is off by 5u, and h by 5u log b: b
 *          is 2^-24 at least, or 0, so this comes to 57u of h = 2 log 2, where one share is some 2^22 times the other.
 *     h    8u, of which the polynomial B loses 5u.
 *     sum  15u: so many additions has a lane in FD_SINGLE_BLOCK bins. Blocks are added in double precision.
 *     c    7u: groups of four masses are added in single precision, which is 2u of each row's sum. As the differences
 *          add to 0, D moves by 4u D + (4u)^2/8 alone, and the second is 3u of D >= FD_SINGLE_LEAST (single.h).
 *          D is divided by a sum: 2u.
 * Together 42u = 2.5e-6; 82u = 4.9e-6 if nearly all mass is where the shares are 2^22 apart. Roundings average out:
 * tests/rows/test_single.py has less than 8e-7 left of 500 bins.
 */
#ifndef FD_SINGLE_LOOPS_H
#define FD_SINGLE_LOOPS_H

#include "rows/loops.h"

FD_INLINE uint32_t fd_bits32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

FD_INLINE float fd_from_bits32(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x - a (c_hi + c_lo), relative error 2u and 2^-48 of x. */
FD_INLINE float fd_difference32(float x, float a, float c_hi, float c_lo) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(-a, c_lo, __builtin_fmaf(-a, c_hi, x));
#else
    return (float)((double)x - (double)a * ((double)c_hi + (double)c_lo));
#endif
}

/* (log(1+w) - w)/w^2 for |w| <= sqrt(2) - 1, w >= 1/sqrt(2) - 1: relative error 3.3e-7 (coefficients.py). */
FD_INLINE float fd_log_tail32(float w) {
    float w2 = w * w;
    float even = fd_madd32(w2, fd_madd32(w2, -0.14159647f, -0.16588488f), -0.25001147f);
    float odd = fd_madd32(w2, fd_madd32(w2, 0.087872654f, 0.14834787f), 0.1997205f);
    return fd_madd32(w, fd_madd32(w2, odd, 0.3333367f), fd_madd32(w2, even, -0.49999997f));
}

/* ((1+t) log(1+t) - t)/t^2 for 0 <= t <= 1: relative error 6e-8 (coefficients.py). */
FD_INLINE float fd_growth_tail32(float t) {
    float z = t * t;
    float even = fd_madd32(z, fd_madd32(z, 0.006386326f, 0.03051216f), 0.083256975f);
    float odd = fd_madd32(z, fd_madd32(z, -0.0011870472f, -0.016659444f), -0.049351454f);
    return fd_madd32(t, fd_madd32(z, odd, -0.16666314f), fd_madd32(z, even, 0.49999997f));
}

/* h(t) = t + t^2 A(t) + b (w + w^2 B(w) + k log 2),  b = 2^k (1 + w). With k = 0, w = -t the first order is t^2. */
FD_INLINE float fd_spread32(float t) {
    const uint32_t to_root = 0x7f800000u - 0x3fb504f3u - 0x3f000000u; /* fd_split_log32 */
    float b = fabsf(1.0f - t), z = t * t;
    int32_t whole = (int32_t)((fd_bits32(b) + to_root) >> 23) - 128;
    float k = (float)whole, rest = fd_from_bits32(fd_bits32(b) - ((uint32_t)whole << 23)) - 1.0f;
    float w = k == 0.0f ? -t : rest;
    float far = fd_madd32(b, fd_madd32(k, 0.69314718f, w), t);
    float first = k == 0.0f ? z : far;
    return fd_madd32(b * (w * w), fd_log_tail32(w), fd_madd32(z, fd_growth_tail32(t), first));
}

/* `sum` and 4 times the term of a bin, nats. d and s round alike, so t = 1 where a mass is 0; with both 0, t = 0. */
FD_INLINE float fd_add_js_divergence32(float sum, float p, float q, float c_hi, float c_lo) {
    float d = fabsf(fd_difference32(p, q, c_hi, c_lo));
    float s = fd_madd32(q, c_lo, fd_madd32(q, c_hi, p + 0x1p-126f));
    return fd_madd32(s, fd_spread32(d / s), sum);
}
static const double fd_unit_js_divergence32 = 0.25 * 1.4426950408889634; /* bits */

/* Adds the lanes up in double precision. */
static double fd_fold32(const float *lanes) {
    double wide[FD_LANES];
    for (int lane = 0; lane < FD_LANES; lane++)
        wide[lane] = (double)lanes[lane];
    return fd_fold(wide);
}

FD_INLINE void fd_pad32(float *padded, const float *tail, ptrdiff_t n, int lanes) {
#pragma omp simd
    for (int i = 0; i < lanes; i++)
        padded[i] = i < n ? tail[i] : 0.0f;
}

enum { FD_SINGLE_BLOCK = 256 };

#define FD_SINGLE_LOOP(name)                                                                                 \
    FD_INLINE double fd_single_block_##name(const float *p, const float *q, ptrdiff_t n, float c_hi,         \
                                            float c_lo) {                                                    \
        float lanes[FD_LANES] = {0}, p_tail[FD_LANES], q_tail[FD_LANES];                                     \
        ptrdiff_t i = 0;                                                                                     \
        for (; i + FD_LANES <= n; i += FD_LANES) {                                                           \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) lanes[lane] =                    \
                fd_add_##name##32(lanes[lane], p[i + lane], q[i + lane], c_hi, c_lo);                        \
        }                                                                                                    \
        if (i < n) {                                                                                         \
            fd_pad32(p_tail, p + i, n - i, FD_LANES);                                                        \
            fd_pad32(q_tail, q + i, n - i, FD_LANES);                                                        \
            _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) lanes[lane] =                    \
                fd_add_##name##32(lanes[lane], p_tail[lane], q_tail[lane], c_hi, c_lo);                      \
        }                                                                                                    \
        return fd_fold32(lanes);                                                                             \
    }                                                                                                        \
    static double fd_single_sum_##name(const float *p, const float *q, ptrdiff_t n, const fd_pair *pair) {   \
        const float c_hi = (float)pair->c_hi, c_lo = (float)(pair->c_hi - (double)c_hi);                     \
        double sum = 0.0;                                                                                    \
        for (ptrdiff_t i = 0; i < n; i += FD_SINGLE_BLOCK)                                                   \
            sum += fd_single_block_##name(p + i, q + i, n - i < FD_SINGLE_BLOCK ? n - i : FD_SINGLE_BLOCK,   \
                                          c_hi, c_lo);                                                       \
        return sum * fd_unit_##name##32;                                                                     \
    }

FD_SINGLE(FD_SINGLE_LOOP)
#undef FD_SINGLE_LOOP

/* Four groups of lanes: their masses, and the bits of all. */
FD_INLINE void fd_take_stats32(const float *x, double *sum, uint32_t *bits) {
    _Pragma("omp simd") for (int lane = 0; lane < FD_LANES; lane++) {
        float a = x[lane], b = x[lane + FD_LANES], c = x[lane + 2 * FD_LANES], d = x[lane + 3 * FD_LANES];
        sum[lane] += (double)((a + b) + (c + d));
        bits[lane] |= (fd_bits32(a) | fd_bits32(b)) | (fd_bits32(c) | fd_bits32(d));
    }
}

static void fd_single_stats_loop(const float *p, ptrdiff_t n, fd_stats *stats) {
    enum { GROUP = 4 * FD_LANES };
    double sum[FD_LANES] = {0};
    float tail[GROUP];
    uint32_t bits[FD_LANES] = {0}, any = 0;
    ptrdiff_t i = 0;
    for (; i + GROUP <= n; i += GROUP)
        fd_take_stats32(p + i, sum, bits);
    if (i < n) {
        fd_pad32(tail, p + i, n - i, GROUP);
        fd_take_stats32(tail, sum, bits);
    }
    for (int lane = 0; lane < FD_LANES; lane++)
        any |= bits[lane];
    *stats = (fd_stats){.sum_hi = fd_fold(sum), .is_signed = (int)(any >> 31)};
}

#endif

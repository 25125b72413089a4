/* Exact masses of weighted samples.
 *
 * A weight is a double; a mass is that weight times one power of two per sample, as a 128-bit integer. Sums
 * of masses are then exact and independent of order, and so is the difference of two distribution functions
 *
 *     F - G = A/S - B/T = (A*T - B*S) / (S*T),      A, S: prefix and total of one sample; B, T: of the other,
 *
 * whose numerator is formed in 256 bits. Identical, permuted, split and proportional weights therefore cancel
 * to exactly 0; two rounded prefix sums leave some 1e-11 behind at a million atoms (SciPy: 7e-6 of the
 * range).
 *
 * What is lost: bits of a weight below 2^-(73 - log2 n) ulps of the largest weight of its sample, that is
 * weights smaller than 2^-126 n times the largest one.
 */
#ifndef FD_MASS_H
#define FD_MASS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 fd_mass;

/* The power of two that puts n weights of at most `largest` below 2^126 in sum. largest > 0 and finite. */
static inline int fd_mass_scale(double largest, int64_t n) {
    uint64_t bits;
    memcpy(&bits, &largest, sizeof bits);
    int exponent = (int)(bits >> 52); /* largest < 2^(exponent - 1022) */
    if (exponent == 0 && bits)
        exponent = 12 - __builtin_clzll(bits);               /* subnormal */
    const int bits_of_n = 64 - __builtin_clzll((uint64_t)n); /* n < 2^bits_of_n */
    return 126 - (exponent - 1022) - bits_of_n;
}

/* w * 2^scale, rounded down. w >= 0 and finite. */
static inline fd_mass fd_mass_of(double w, int scale) {
    uint64_t bits;
    memcpy(&bits, &w, sizeof bits);
    const int exponent = (int)((bits >> 52) & 0x7ff);
    const uint64_t fraction = bits & 0xfffffffffffffull;
    const uint64_t mantissa = exponent ? fraction | 0x10000000000000ull : fraction;
    const int shift = (exponent ? exponent : 1) - 1075 + scale;
    if (shift >= 0)
        return (fd_mass)mantissa << shift;
    return shift > -64 ? (fd_mass)(mantissa >> -shift) : 0;
}

/* The same for n weights at once, without branches: low and high halves of the masses. */
static inline void fd_masses_into(const double *restrict w, int n, int scale, uint64_t *restrict low,
                                  uint64_t *restrict high) {
    for (int i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &w[i], sizeof bits);
        const int64_t exponent = (int64_t)((bits >> 52) & 0x7ff),
                      fraction = (int64_t)(bits & 0xfffffffffffffull);
        const uint64_t mantissa = (uint64_t)(exponent ? fraction | 0x10000000000000 : fraction);
        const int64_t shift = (exponent ? exponent : 1) - 1075 + scale;
        const uint64_t left = mantissa << (shift & 63), right = mantissa >> (-shift & 63);
        low[i] = shift >= 64 || shift <= -64 ? 0 : shift >= 0 ? left : right;
        high[i] = shift >= 64 ? left : shift > 0 ? right : 0;
    }
}

/* Exact below 2^53, else to 2^-53 and a little; GCC's own conversion is a call of some 10 ns. */
static inline double fd_mass_to_double(fd_mass a) {
    if (a >> 63 == 0)
        return (double)(int64_t)a;
    return (double)(int64_t)(a >> 65) * 0x1p65 + (double)(int64_t)((uint64_t)(a >> 2) & INT64_MAX) * 4.0;
}

/* The masses of one sample: from weights, or 1 each where weights is NULL. */
typedef struct {
    const double *weights;
    int64_t n;
    fd_mass total;
    int scale;
} fd_masses;

static inline fd_mass fd_mass_at(const fd_masses *a, int64_t i) {
    return a->weights ? fd_mass_of(a->weights[i], a->scale) : 1;
}

/* The largest weight; NaN if one is negative or not finite: w - |w| is 0 for all others. */
static inline double fd_largest_weight(const double *w, int64_t n) {
    double largest[8] = {0.0}, wrong[8] = {0.0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) {
            largest[k] = w[i + k] > largest[k] ? w[i + k] : largest[k];
            wrong[k] += w[i + k] - fabs(w[i + k]);
        }
    for (; i < n; i++) {
        largest[0] = w[i] > largest[0] ? w[i] : largest[0];
        wrong[0] += w[i] - fabs(w[i]);
    }
    for (int k = 1; k < 8; k++) {
        largest[0] = largest[k] > largest[0] ? largest[k] : largest[0];
        wrong[0] += wrong[k];
    }
    return wrong[0] == 0.0 ? largest[0] : NAN;
}

/* The scale for weights >= 0, finite and not all 0; their total is still to be found. */
static inline fd_masses fd_masses_scaled(const double *weights, int64_t n) {
    fd_masses a = {weights, n, (fd_mass)n, 0};
    if (weights)
        a.scale = fd_mass_scale(fd_largest_weight(weights, n), n);
    return a;
}

static inline fd_masses fd_masses_of(const double *weights, int64_t n) {
    fd_masses a = fd_masses_scaled(weights, n);
    if (weights) {
        a.total = 0;
        for (int64_t i = 0; i < n; i++)
            a.total += fd_mass_of(weights[i], a.scale);
    }
    return a;
}

typedef struct {
    fd_mass high, low;
} fd_u256;

static inline fd_u256 fd_product(fd_mass a, fd_mass b) {
    const uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    const fd_mass low = (fd_mass)a0 * b0, mid1 = (fd_mass)a0 * b1, mid2 = (fd_mass)a1 * b0;
    const fd_mass mid = mid1 + mid2; /* below 2^128: both factors are below 2^127 */
    fd_u256 r;
    r.low = low + (mid << 64);
    r.high = (fd_mass)a1 * b1 + (mid >> 64) + (r.low < low);
    return r;
}

static inline int fd_less(fd_u256 x, fd_u256 y) {
    return x.high < y.high || (x.high == y.high && x.low < y.low);
}

static inline fd_u256 fd_minus(fd_u256 x, fd_u256 y) /* x >= y */
{
    const fd_u256 r = {x.high - y.high - (x.low < y.low), x.low - y.low};
    return r;
}

static inline double fd_u256_to_double(fd_u256 x) {
    return fd_mass_to_double(x.high) * 0x1p128 + fd_mass_to_double(x.low);
}

/* |x - y| with one rounding or two; 0 for equals alone. */
static inline double fd_u256_apart(fd_u256 x, fd_u256 y) {
    const int less = fd_less(x, y);
    return fd_u256_to_double(fd_minus(less ? y : x, less ? x : y));
}

/* A*T - B*S with one rounding or two; its sign is exact. */
static inline double fd_cross_difference(fd_mass A, fd_mass T, fd_mass B, fd_mass S) {
    if ((A | T | B | S) >> 31 == 0) /* counts */
        return (double)((int64_t)A * (int64_t)T - (int64_t)B * (int64_t)S);
    const fd_u256 x = fd_product(A, T), y = fd_product(B, S);
    return fd_less(x, y) ? -fd_u256_to_double(fd_minus(y, x)) : fd_u256_to_double(fd_minus(x, y));
}

#endif

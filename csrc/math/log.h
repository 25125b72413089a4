/* Logarithms, exponentials and exact differences, one scalar at a time and without a branch, so that a loop
 * over them is vectorised as it stands. Nothing here calls libm: digits depend on FMA and on nothing else.
 *
 * Logarithms are in bits: the exponent of a ratio is a whole number of bits, which keeps log2(8) equal to 3
 * and lets the caller choose the unit with one multiplication at the end.
 *
 * Arguments are positive and normal, between 2^-960 and 2^60: rows.c scales what is not. Other arguments
 * give some number or NaN, never a trap; the caller selects it away.
 */
#ifndef FD_LOG_H
#define FD_LOG_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/sum.h"

#if defined(__GNUC__)
#    define FD_INLINE    static inline __attribute__((always_inline))
#    define FD_NO_INLINE static __attribute__((noinline)) /* whose large frame others are not to have */
#else
#    define FD_INLINE    static __forceinline
#    define FD_NO_INLINE static __declspec(noinline)
#endif

/* Added to a mass it changes none (those that come here are 2^-860 at least), and it is none to speak of. */
static const double FD_TINY = 0x1p-960;

static const double FD_LOG2_E = 1.4426950408889634; /* 1/ln 2 */
static const double FD_LN_2 = 0.6931471805599453;

FD_INLINE uint64_t fd_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

FD_INLINE double fd_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* a*b + c, rounded once where the instruction set has it, twice elsewhere. */
FD_INLINE double fd_madd(double a, double b, double c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* x/d, r = 1/d, for many x: with FMA in three operations instead of a division, which vectors wait for, and rounded
 * as that is (Markstein, IBM J. Res. Dev. 34, 1990; to 2u where x is below 2^-960). x <= d. */
FD_INLINE double fd_over(double x, double d, double r) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    const double q = x * r;
    return __builtin_fma(__builtin_fma(-q, d, x), r, q);
#else
    (void)r;
    return x / d;
#endif
}

/* The rounding error a*b - product, exact. Without FMA by Dekker's splitting into 26-bit halves. */
FD_INLINE double fd_product_error(double a, double b, double product) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(a, b, -product);
#else
    const double split = 134217729.0; /* 2^27 + 1 */
    double a_high = split * a - (split * a - a), a_low = a - a_high;
    double b_high = split * b - (split * b - b), b_low = b - b_high;
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
#endif
}

/* x - a*(c_hi + c_lo), to a relative error of some 2u however close the two are: x - product is exact there
 * (Sterbenz), and the product's own error is put back. */
FD_INLINE double fd_difference(double x, double a, double c_hi, double c_lo) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(-a, c_lo, __builtin_fma(-a, c_hi, x));
#else
    double product = a * c_hi;
    return (x - product) - (fd_product_error(a, c_hi, product) + a * c_lo);
#endif
}

/* What rounding takes from a - b; 0 where that is infinite. */
FD_INLINE double fd_difference_error(double a, double b) {
    double error = fd_sum_error(a, -b, a - b);
    return error == error ? error : 0.0;
}

/* R(z) = sum_j z^j/(2j+3) for 0 <= z <= 0.0401, so that atanh(t) = t + t z R(z), z = t^2.
 * Relative error 5.6e-17 (coefficients.py). Horner: the loops have other bins to work on while they wait, and
 * Estrin's two extra products cost 8 % (KL, AVX-512). */
FD_INLINE double fd_atanh_tail(double z) {
    double r = fd_madd(z, 0.06804515131429249, 0.06604854121029731);
    r = fd_madd(z, r, 0.07694433902806859);
    r = fd_madd(z, r, 0.09090868813151469);
    r = fd_madd(z, r, 0.11111111524175794);
    r = fd_madd(z, r, 0.14285714283637968);
    r = fd_madd(z, r, 0.2000000000000397);
    return fd_madd(z, r, 0.3333333333333333);
}

/* E(v) = (exp(v) - 1 - v)/v^2 for |v| <= 1; relative error 3.1e-17 (coefficients.py). */
FD_INLINE double fd_exp_tail(double v) {
    double v2 = v * v, v4 = v2 * v2;
    double a = fd_madd(v, 0.16666666666666666, 0.5);
    double b = fd_madd(v, 0.008333333333333299, 0.04166666666666609);
    double c = fd_madd(v, 0.00019841269841324198, 0.0013888888888981404);
    double d = fd_madd(v, 2.7557319191381816e-06, 2.4801587246096818e-05);
    double e = fd_madd(v, 2.5052117695907823e-08, 2.755733506893373e-07);
    double f = fd_madd(v, 1.6057679623801638e-10, 2.0874435575864273e-09);
    double g = fd_madd(v, 7.746178593018827e-13, 1.1639194124150522e-11);
    double low = fd_madd(v4, fd_madd(v2, d, c), fd_madd(v2, b, a));
    double high = fd_madd(v4, g, fd_madd(v2, f, e));
    return fd_madd(v4 * v4, high, low);
}

/* E(v) for |v| <= 0.3466, all that fd_exp leaves of an exponent; relative error 4.8e-18, of exp(v) 3.3e-19
 * (coefficients.py). By even and odd powers, whose v^2 fd_exp has anyway. */
FD_INLINE double fd_short_exp_tail(double v) {
    double v2 = v * v;
    double even = fd_madd(v2, 2.0914685161418067e-09, 2.7557273647451087e-07);
    double odd = fd_madd(v2, 2.5105214474751413e-08, 2.7557255406285044e-06);
    even = fd_madd(v2, even, 2.480158732554432e-05);
    odd = fd_madd(v2, odd, 0.00019841269874815834);
    even = fd_madd(v2, even, 0.001388888888888375);
    odd = fd_madd(v2, odd, 0.008333333333326136);
    even = fd_madd(v2, even, 0.04166666666666667);
    odd = fd_madd(v2, odd, 0.1666666666666667);
    even = fd_madd(v2, even, 0.5);
    return fd_madd(v, odd, even);
}

/* exp(v), v <= 709, to 1 ulp; 0 below -708, where it would be subnormal. */
FD_INLINE double fd_exp_below(double v) {
    const double round = 0x1.8p52; /* adding it rounds to an integer */
    double clamped = v > -708.0 ? v : -708.0;
    double k = fd_madd(clamped, FD_LOG2_E, round);
    double power = fd_from_bits((fd_bits(k) + 1023) << 52);
    k -= round;
    double r = fd_madd(-k, 0x1.62e42feep-1, clamped); /* the first 29 bits of ln 2: k times them is exact */
    r = fd_madd(-k, 0x1.a39ef35793c76p-33, r);        /* and the next 53 */
    double result = fd_madd(power, fd_madd(r * r, fd_short_exp_tail(r), r), power);
    return v < -708.0 ? 0.0 : result;
}

/* The same of any v: inf above 709. */
FD_INLINE double fd_exp(double v) {
    double result = fd_exp_below(v > 709.0 ? 709.0 : v);
    return v > 709.0 ? INFINITY : result;
}

/* a/c as 2^k (1+t)/(1-t) with a whole k and |t| <= 1/5.
 *
 * k rounds the difference of the two numbers' bits, read as a piecewise linear log2: that leaves a ratio
 * between 2/3 and 3/2, found without a division. Where k = 0 the caller's d = a - c is used, which may know
 * the difference better than a and c do. */
typedef struct {
    double k;
    double t;
    double difference; /* a - c 2^k */
    double shift;      /* c - c 2^k */
} fd_ratio;

FD_INLINE fd_ratio fd_split_ratio(double a, double c, double d) {
    const uint64_t one = (uint64_t)1 << 52, exponent = (uint64_t)0x7ff << 52;
    fd_ratio r;
    uint64_t biased = fd_bits(a) - fd_bits(c) + 1023 * one + one / 2; /* (k + 1023) 2^52 + a fraction */
    r.k = fd_from_bits(biased >> 52 | 0x4330000000000000u) -
          (0x1p52 + 1023.0);                             /* AVX2 has no int64 -> double */
    double scaled = c * fd_from_bits(biased & exponent); /* c 2^k, exact */
    r.difference = r.k == 0.0 ? d : a - scaled;
    r.shift = c - scaled;
    r.t = r.difference / (a + scaled);
    return r;
}

/* log2(a/c) = k + (2/ln 2) atanh(t). */
FD_INLINE double fd_log2_ratio(double a, double c, double d) {
    fd_ratio r = fd_split_ratio(a, c, d);
    double z = r.t * r.t;
    return fd_madd(2.0 * FD_LOG2_E, fd_madd(r.t * z, fd_atanh_tail(z), r.t), r.k);
}

/* a log2(a/c) - (a - c)/ln 2, the relative entropy of two masses in bits: never negative, 0 where a = c, and
 * without cancellation as they meet. With s = a + c, t = (a-c)/s and k = 0 it is
 *     (a - c) (t + (1+t) z R(z)) / ln 2,    z = t^2;
 * a k other than 0 adds a k + (c - c 2^k)/ln 2, and there a and c are far enough apart to add it plainly.
 * A mass of 0 comes as FD_TINY: two of them give 0, FD_TINY with c gives c/ln 2. */
FD_INLINE double fd_relative_entropy(double a, double c, double d) {
    fd_ratio r = fd_split_ratio(a, c, d);
    double z = r.t * r.t;
    double second_order = fd_madd(fd_madd(r.t, z, z), fd_atanh_tail(z), r.t);
    double nats = fd_madd(r.difference, second_order, r.shift);
    return fd_madd(FD_LOG2_E, nats, a * r.k);
}

/* log2 x = k + (2/ln 2) atanh(n/d) of a positive normal number, x = 2^k (d+n)/(d-n) with x 2^-k between the
 * roots of 1/2 and 2: near 1 the error is relative too. */
typedef struct {
    double k, n, d;
} fd_log_parts;

FD_INLINE fd_log_parts fd_split_log(double x) {
    const uint64_t to_root = 0x7ff0000000000000u - 0x3ff6a09e667f3bcdu - 0x3fe0000000000000u;
    uint64_t biased = (fd_bits(x) + to_root) >> 52; /* k + 1024 */
    double power = fd_from_bits((biased - 1) << 52);
    return (fd_log_parts){fd_from_bits(biased | 0x4330000000000000u) - (0x1p52 + 1024.0), x - power,
                          x + power};
}

/* fd_atanh_tail for z <= 0.02944, the square of the largest |n/d|; relative error 4.7e-16, of the logarithm
 * 4.6e-18 (coefficients.py). */
FD_INLINE double fd_short_atanh_tail(double z) {
    double z2 = z * z;
    double a = fd_madd(z, 0.19999999999949752, 0.3333333333333335);
    double b = fd_madd(z, 0.1111110556739754, 0.14285714312987743);
    double c = fd_madd(z, 0.07665860800278021, 0.09091444562630861);
    return fd_madd(z2, fd_madd(z2, fd_madd(z2, 0.07308224842521703, c), b), a);
}

FD_INLINE double fd_join_log(double k, double t) {
    double z = t * t;
    return fd_madd(2.0 * FD_LOG2_E, fd_madd(t * z, fd_short_atanh_tail(z), t), k);
}

FD_INLINE double fd_log2(double x) {
    fd_log_parts l = fd_split_log(x);
    return fd_join_log(l.k, l.n / l.d);
}

FD_INLINE float fd_madd32(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

/* The same in single precision; the polynomial is good to 2.8e-9 of the logarithm (coefficients.py). */
typedef struct {
    float k, n, d;
} fd_log_parts32;

FD_INLINE fd_log_parts32 fd_split_log32(float x) {
    const uint32_t to_root = 0x7f800000u - 0x3fb504f3u - 0x3f000000u;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t biased = (bits + to_root) >> 23; /* k + 128 */
    uint32_t power_bits = (biased - 1) << 23;
    float power;
    memcpy(&power, &power_bits, sizeof power);
    return (fd_log_parts32){(float)((int32_t)biased - 128), x - power, x + power};
}

FD_INLINE float fd_join_log32(float k, float t) {
    float z = t * t;
    float tail = fd_madd32(z, fd_madd32(z, 0.14789975f, 0.19994390f), 0.33333343f);
    return fd_madd32(2.8853900817779268f, fd_madd32(t * z, tail, t), k);
}

/* (phi(t)/z - 1)/z = sum_k z^(k-1)/((k+1)(2k+1)) for z = t^2 <= 1/64; of phi(t) it leaves 3.3e-16
 * (coefficients.py). */
FD_INLINE double fd_phi_tail(double z) {
    double z2 = z * z;
    double a = fd_madd(z, 0.06666666660078467, 0.16666666666668725);
    double b = fd_madd(z, 0.022216201661453168, 0.03571431940385882);
    return fd_madd(z2, fd_madd(z2, 0.015589177035362408, b), a);
}

#endif

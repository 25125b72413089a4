/* Numbers as sums of two doubles, some 100 bits, for second looks at what cancels. */
#ifndef FD_TWOFOLD_H
#define FD_TWOFOLD_H

#include "math/log.h"

typedef struct {
    double high, low; /* the unevaluated sum; |low| <= ulp(high) / 2 */
} fd_twofold;

FD_INLINE fd_twofold fd_two_sum(double x, double y) { /* Knuth: exact */
    const double sum = x + y;
    return (fd_twofold){sum, fd_sum_error(x, y, sum)};
}

FD_INLINE fd_twofold fd_two_product(double x, double y) { /* exact where |x|, |y| < 2^970 and |xy| > 2^-960 */
    const double product = x * y;
    return (fd_twofold){product, fd_product_error(x, y, product)};
}

FD_INLINE fd_twofold fd_twofold_plus(fd_twofold x, fd_twofold y) {
    const fd_twofold s = fd_two_sum(x.high, y.high);
    return fd_two_sum(s.high, s.low + (x.low + y.low));
}

/* Exact for doubles and for integers of 64 bits. */
FD_INLINE fd_twofold fd_twofold_minus(fd_twofold x, fd_twofold y) {
    return fd_twofold_plus(x, (fd_twofold){-y.high, -y.low});
}

FD_INLINE fd_twofold fd_twofold_times(fd_twofold x, fd_twofold y) {
    const fd_twofold product = fd_two_product(x.high, y.high);
    return fd_two_sum(product.high, product.low + (x.high * y.low + x.low * y.high));
}

FD_INLINE fd_twofold fd_twofold_scaled(fd_twofold x, double factor) {
    const fd_twofold product = fd_two_product(x.high, factor);
    return fd_two_sum(product.high, fd_madd(x.low, factor, product.low));
}

FD_INLINE fd_twofold fd_twofold_ratio(fd_twofold x, fd_twofold y) {
    const double quotient = x.high / y.high;
    const fd_twofold product = fd_two_product(quotient, y.high);
    const double rest = ((x.high - product.high) - product.low) + (x.low - quotient * y.low);
    return fd_two_sum(quotient, rest / y.high);
}

/* Of x >= 0. */
FD_INLINE fd_twofold fd_twofold_root(fd_twofold x) {
    const double root = sqrt(x.high);
    const fd_twofold square = fd_two_product(root, root);
    const double rest = ((x.high - square.high) - square.low) + x.low;
    return fd_two_sum(root, root > 0.0 ? rest / (2.0 * root) : 0.0);
}

/* 1/n, n whole. */
FD_INLINE fd_twofold fd_twofold_part(double n) {
    const double part = 1.0 / n;
    return (fd_twofold){part, -fd_product_error(part, n, 1.0) / n};
}

static const fd_twofold FD_TWOFOLD_LOG2_E = {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
static const fd_twofold FD_TWOFOLD_LN_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

/* x y + z, |x y| <= |z|/4, to some 2^-103 of itself: without carrying from the low parts, which takes most of the time. */
FD_INLINE fd_twofold fd_twofold_horner(fd_twofold x, fd_twofold y, fd_twofold z) {
    const fd_twofold product = fd_two_product(x.high, y.high);
    const double rest = fd_madd(x.low, y.high, fd_madd(x.high, y.low, product.low));
    const double sum = z.high + product.high;
    return (fd_twofold){sum, ((z.high - sum) + product.high) + (z.low + rest)};
}

/* log2(a/c) to some 2^-98 of itself, d = a - c: fd_log2_ratio (log.h) in two doubles, with
 *     atanh(t) = t + t z (1/3 + z (1/5 + z (1/7 + ...))),    z = t^2 <= 0.0401,
 * whose terms from z^9 on need one double, and from z^21 on none. */
FD_INLINE fd_twofold fd_twofold_log2_ratio(fd_twofold a, fd_twofold c, fd_twofold d) {
    const uint64_t one = (uint64_t)1 << 52, exponent = (uint64_t)0x7ff << 52;
    const uint64_t biased = fd_bits(a.high) - fd_bits(c.high) + 1023 * one + one / 2;
    const double k = fd_from_bits(biased >> 52 | 0x4330000000000000u) - (0x1p52 + 1023.0);
    const double power = fd_from_bits(biased & exponent);
    const fd_twofold scaled = {c.high * power, c.low * power}, apart = fd_twofold_minus(a, scaled);
    const fd_twofold difference = {k == 0.0 ? d.high : apart.high, k == 0.0 ? d.low : apart.low};
    const fd_twofold t = fd_twofold_ratio(difference, fd_twofold_plus(a, scaled)), z = fd_twofold_times(t, t);
    double tail = 1.0 / 41.0;
#define FD_STEP(n) tail = fd_madd(tail, z.high, 1.0 / n);
    FD_STEP(39.0)
    FD_STEP(37.0)
    FD_STEP(35.0)
    FD_STEP(33.0)
    FD_STEP(31.0)
    FD_STEP(29.0)
    FD_STEP(27.0)
    FD_STEP(25.0)
    FD_STEP(23.0)
    FD_STEP(21.0)
    FD_STEP(19.0)
#undef FD_STEP
    fd_twofold sum = {tail, 0.0};
#define FD_STEP(n) sum = fd_twofold_horner(sum, z, fd_twofold_part(n));
    FD_STEP(17.0)
    FD_STEP(15.0)
    FD_STEP(13.0)
    FD_STEP(11.0)
    FD_STEP(9.0)
    FD_STEP(7.0)
    FD_STEP(5.0)
    FD_STEP(3.0)
#undef FD_STEP
    const fd_twofold twice = {2.0 * FD_TWOFOLD_LOG2_E.high, 2.0 * FD_TWOFOLD_LOG2_E.low};
    const fd_twofold atanh = fd_twofold_plus(t, fd_twofold_times(fd_twofold_times(t, z), sum));
    return fd_twofold_plus((fd_twofold){k, 0.0}, fd_twofold_times(twice, atanh));
}

static inline fd_twofold fd_twofold_over(fd_twofold x, double whole) {
    const double quotient = x.high / whole;
    return fd_two_sum(quotient, (fma(-quotient, whole, x.high) + x.low) / whole);
}

/* exp(a + b) = 2^k (1 + m), |a| < 690: k whole, and of r = a + b - k ln 2, |r| <= ln(2)/2, m = exp(r) - 1 to some 2^-95
 * of itself: of t = r/2^8 exp(t) - 1 = t (1 + t/2 (1 + t/3 (...))), then eight times exp(2t) - 1 = m (m + 2). */
static inline fd_twofold fd_twofold_grown(double a, double b, double *k) {
    *k = nearbyint(a * 0x1.71547652b82fep0);
    double left = fma(-*k, 0x1.62e42feep-1, a); /* exact: 29 bits of ln 2, then the next 53, then some */
    double product = *k * 0x1.a39ef35793c76p-33, error = fma(*k, 0x1.a39ef35793c76p-33, -product);
    fd_twofold r = fd_twofold_plus((fd_twofold){left, (b - error) - *k * 0x1.cc01f97b57a08p-87},
                                   (fd_twofold){-product, 0.0});
    fd_twofold t = {0x1p-8 * r.high, 0x1p-8 * r.low}, sum = {1.0, 0.0};
    for (int j = 10; j > 1; j--)
        sum = fd_twofold_plus((fd_twofold){1.0, 0.0}, fd_twofold_over(fd_twofold_times(t, sum), j));
    fd_twofold m = fd_twofold_times(t, sum);
    for (int j = 0; j < 8; j++)
        m = fd_twofold_times(m, fd_twofold_plus(m, (fd_twofold){2.0, 0.0}));
    return m;
}

/* exp(a + b) to some 2^-95 between 2^-1000 and 2^1000; outside as exp has it. */
static inline fd_twofold fd_twofold_exp(double a, double b) {
    double k;
    if (!(fabs(a) < 690.0))
        return (fd_twofold){exp(a) * (1.0 + b), 0.0};
    fd_twofold grown = fd_twofold_plus(fd_twofold_grown(a, b, &k), (fd_twofold){1.0, 0.0});
    return (fd_twofold){ldexp(grown.high, (int)k), ldexp(grown.low, (int)k)};
}

/* exp(x) - 1, likewise. */
static inline fd_twofold fd_twofold_expm1(fd_twofold x) {
    double k;
    if (!(fabs(x.high) < 690.0))
        return (fd_twofold){expm1(x.high), 0.0};
    fd_twofold m = fd_twofold_grown(x.high, x.low, &k), rest = fd_two_sum(ldexp(1.0, (int)k), -1.0);
    return fd_twofold_plus((fd_twofold){ldexp(m.high, (int)k), ldexp(m.low, (int)k)}, rest);
}

#endif

/* e - h N / D for differences e, h of doubles and integers N <= D of 252 bits: how far apart two quantile
 * functions are where one of them is within a bin.
 *
 * First in double-double, to 2^-100 (|e| + |h|); where that leaves fewer than 50 bits, because e and h N / D
 * all but cancel, as one integer e D - h N wide enough for any double. So the result is right to 2^-50, its
 * sign is exact, and it is 0 only where the truth is 0.
 */
#ifndef FD_EXACT_H
#define FD_EXACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/twofold.h"
#include "transport/mass.h"

static inline double fd_power_of_two(int exponent) { /* -1022 <= exponent <= 1023 */
    const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int fd_leading_zeros(fd_u256 x) {
    const uint64_t words[4] = {(uint64_t)(x.high >> 64), (uint64_t)x.high, (uint64_t)(x.low >> 64),
                               (uint64_t)x.low};
    for (int k = 0; k < 4; k++)
        if (words[k])
            return 64 * k + __builtin_clzll(words[k]);
    return 256;
}

/* The first 106 bits of x > 0, as a number in [1, 2) times 2^*exponent. */
static inline fd_twofold fd_twofold_of(fd_u256 x, int *exponent) {
    const int zeros = fd_leading_zeros(x);
    fd_mass top = zeros >= 128 ? x.low << (zeros - 128)
                  : zeros == 0 ? x.high
                               : x.high << zeros | x.low >> (128 - zeros);
    *exponent = 255 - zeros;
    return (fd_twofold){(double)(int64_t)(uint64_t)(top >> 75) * 0x1p-52,
                        (double)(int64_t)((uint64_t)(top >> 22) & 0x1fffffffffffffull) * 0x1p-105};
}

/* N / D for 0 < N <= D, to 2^-102. */
static inline fd_twofold fd_twofold_share(fd_u256 N, fd_u256 D) {
    int up, down;
    const fd_twofold n = fd_twofold_of(N, &up), d = fd_twofold_of(D, &down);
    const double scale = fd_power_of_two(up - down), first = n.high / d.high;
    const fd_twofold back = fd_two_product(first, d.high);
    const double rest = ((n.high - back.high) - back.low) + (n.low - first * d.low);
    const fd_twofold q = fd_two_sum(first, rest / d.high);
    return (fd_twofold){q.high * scale, q.low * scale};
}

/* An integer in two's complement that holds sums of doubles times integers of 252 bits, in units of 2^-1074.
 */
enum { FD_WIDE_WORDS = 38 };

typedef struct {
    uint64_t word[FD_WIDE_WORDS];
} fd_wide;

/* Adds x * N. */
static inline void fd_wide_add(fd_wide *sum, double x, fd_u256 N) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int exponent = (int)((bits >> 52) & 0x7ff), negative = (int)(bits >> 63);
    const uint64_t fraction = bits & 0xfffffffffffffull;
    const uint64_t mantissa = exponent ? fraction | 0x10000000000000ull : fraction;
    const int shift = exponent ? exponent - 1 : 0;
    const uint64_t words[4] = {(uint64_t)N.low, (uint64_t)(N.low >> 64), (uint64_t)N.high,
                               (uint64_t)(N.high >> 64)};
    uint64_t product[6], mask = negative ? UINT64_MAX : 0;
    fd_mass carry = 0;
    for (int k = 0; k < 4; k++) {
        carry += (fd_mass)words[k] * mantissa;
        product[k] = (uint64_t)carry;
        carry >>= 64;
    }
    product[4] = (uint64_t)carry;
    product[5] = 0;
    if (shift % 64)
        for (int k = 5; k >= 0; k--)
            product[k] = product[k] << shift % 64 | (k ? product[k - 1] >> (64 - shift % 64) : 0);
    carry = (fd_mass)negative; /* -y is not y, plus 1 */
    for (int k = 0; k < FD_WIDE_WORDS; k++) {
        const int at = k - shift / 64;
        carry += (fd_mass)sum->word[k] + ((at >= 0 && at < 6 ? product[at] : 0) ^ mask);
        sum->word[k] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* sum / D, to 2^-52. */
static inline double fd_wide_over(fd_wide sum, fd_u256 D) {
    const int negative = (int)(sum.word[FD_WIDE_WORDS - 1] >> 63);
    fd_mass carry = (fd_mass)negative;
    for (int k = 0; k < FD_WIDE_WORDS; k++) {
        carry += negative ? ~sum.word[k] : sum.word[k];
        sum.word[k] = (uint64_t)carry;
        carry >>= 64;
    }
    int last = FD_WIDE_WORDS - 1, exponent;
    while (last >= 0 && sum.word[last] == 0)
        last--;
    if (last < 0)
        return 0.0;
    const double top = (double)sum.word[last] + (last ? (double)sum.word[last - 1] * 0x1p-64 : 0.0);
    const double divisor = fd_twofold_of(D, &exponent).high;
    const double quotient = ldexp(top / divisor, 64 * last - 1074 - exponent);
    return negative ? -quotient : quotient;
}

/* (x - y) - (high - low) * N / D, 0 <= N <= D, for numbers that are sums of two doubles. */
static inline double fd_exact_difference(fd_twofold x, fd_twofold y, fd_twofold high, fd_twofold low,
                                         fd_u256 N, fd_u256 D) {
    const fd_twofold e = fd_twofold_minus(x, y);
    if ((N.high | N.low) == 0)
        return e.high;
    const fd_twofold h = fd_twofold_minus(high, low), q = fd_twofold_share(N, D);
    fd_twofold part = fd_two_product(h.high, q.high);
    part.low += h.high * q.low + h.low * q.high;
    const fd_twofold d = fd_two_sum(e.high, -part.high);
    const double difference = d.high + (d.low + (e.low - part.low));
    if (fabs(difference) > 0x1p-48 * (fabs(e.high) + fabs(part.high)))
        return difference;
    fd_wide sum = {{0}};
    fd_wide_add(&sum, x.high, D);
    fd_wide_add(&sum, x.low, D);
    fd_wide_add(&sum, -y.high, D);
    fd_wide_add(&sum, -y.low, D);
    fd_wide_add(&sum, -high.high, N);
    fd_wide_add(&sum, -high.low, N);
    fd_wide_add(&sum, low.high, N);
    fd_wide_add(&sum, low.low, N);
    return fd_wide_over(sum, D);
}

#endif

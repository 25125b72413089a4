/* Transport on a circle of circumference P.
 *
 * W_p^p is the least over offsets s of
 *
 *     cost(s) = int_0^1 |F^-1(t) - G^-1(t + s)|^p dt,      G^-1(t + 1) = G^-1(t) + P,
 *
 * convex in s and, for atoms, straight between the offsets at which a level of F meets one of G (Delon,
 * Salomon, Sobolevski, SIAM J. Appl. Math. 70 (2010) 2239). The least is at one of those, and where the slope
 * changes its sign. Levels and offsets are integers, masses times the other's total; a rounded offset would
 * leave slivers paired with neighbours (2e-9 in W_2 where the truth is 0). Slopes are sums of rounded powers;
 * where one is taken for the wrong sign, the costs on both sides agree to rounding.
 *
 * The template rotation.h does it with levels of 64 bits, for counts, and of 256 bits, for exact masses.
 *
 * A point is its remainder in [-P/2, P/2], which is a double where it and P are: nothing is rounded before
 * distances are taken, on either side of the cut.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "math/sum.h"
#include "transport/distance.h"
#include "transport/exact.h"
#include "transport/mass.h"
#include "transport/memory.h"
#include "transport/transport.h"

/* x^p to some ulps, which is enough for a slope: without pow where 2p is an integer. */
static inline double fd_slope_power(double x, double p) {
    const int whole = p <= 8.0 ? (int)p : 0;
    if (p - whole != 0.0 && p - whole != 0.5)
        return pow(x, p);
    double power = p - whole == 0.5 ? sqrt(x) : 1.0;
    for (int k = 0; k < whole; k++)
        power *= x;
    return power;
}

/* A distance is below three turns. */
static double fd_scale_of(fd_twofold period, double p) {
    int exponent;
    frexp(period.high, &exponent);
    return p == 1.0 ? 1.0 : ldexp(1.0, exponent + 2);
}

static inline uint64_t fd_plus_u64(uint64_t x, uint64_t y) { return x + y; }
static inline uint64_t fd_minus_u64(uint64_t x, uint64_t y) { return x - y; }
static inline int fd_less_u64(uint64_t x, uint64_t y) { return x < y; }
static inline double fd_as_double_u64(uint64_t x) { return (double)(int64_t)x; }

/* Of 0 < share <= 1, in 32 bits and short of all. */
static inline uint32_t fd_share_bits(double share) { return (uint32_t)(share * 0x1.fffffffep31); }

static inline uint64_t fd_share_of_u64(uint64_t x, double share) {
    return (uint64_t)((fd_mass)x * fd_share_bits(share) >> 32);
}

#define FD_LEVEL      uint64_t
#define FD_NAME(name) name##_u64
#include "transport/rotation.h"
#undef FD_LEVEL
#undef FD_NAME

static inline fd_u256 fd_plus_u256(fd_u256 x, fd_u256 y) {
    fd_u256 r = {x.high + y.high, x.low + y.low};
    r.high += r.low < x.low;
    return r;
}

static inline fd_u256 fd_minus_u256(fd_u256 x, fd_u256 y) { return fd_minus(x, y); }
static inline int fd_less_u256(fd_u256 x, fd_u256 y) { return fd_less(x, y); }
static inline double fd_as_double_u256(fd_u256 x) { return fd_u256_to_double(x); }

static inline fd_u256 fd_share_of_u256(fd_u256 x, double share) {
    const uint32_t bits = fd_share_bits(share);
    fd_u256 part = fd_product(x.low >> 32 | x.high << 96, bits);
    part.high += (x.high >> 32) * bits;
    return part;
}

#define FD_LEVEL      fd_u256
#define FD_NAME(name) name##_u256
#include "transport/rotation.h"
#undef FD_LEVEL
#undef FD_NAME

static double fd_circle_of_counts(fd_arc u, fd_arc v, fd_twofold period, double p, uint64_t *level) {
    const fd_circle_u64 c = {
        u, v, level, level + u.n, (uint64_t)(u.n * v.n), period, p, fd_scale_of(period, p)};
    for (int64_t i = 0; i < u.n; i++)
        level[i] = (uint64_t)((i + 1) * v.n);
    for (int64_t j = 0; j < v.n; j++)
        level[u.n + j] = (uint64_t)((j + 1) * u.n);
    return fd_circle_of_u64(&c);
}

static void fd_levels(fd_masses a, fd_mass other, fd_u256 *level) {
    fd_mass sum = 0;
    for (int64_t i = 0; i < a.n; i++) {
        sum += fd_mass_at(&a, i);
        level[i] = fd_product(sum, other);
    }
}

static double fd_circle_of_masses(fd_arc u, fd_arc v, fd_twofold period, double p, fd_u256 *level) {
    const fd_masses a = fd_masses_of(u.weights, u.n), b = fd_masses_of(v.weights, v.n);
    const fd_circle_u256 c = {
        u, v, level, level + u.n, fd_product(a.total, b.total), period, p, fd_scale_of(period, p)};
    fd_levels(a, b.total, level);
    fd_levels(b, a.total, level + u.n);
    return fd_circle_of_u256(&c);
}

double fd_circle_wasserstein(fd_arc u, fd_arc v, double period, double period_low, double p) {
    const int counts = !u.weights && !v.weights && (double)u.n * (double)v.n < 0x1p60;
    void *level = fd_allocate((size_t)(u.n + v.n) * (counts ? sizeof(uint64_t) : sizeof(fd_u256)));
    if (!level)
        return -1.0;
    const fd_twofold whole = {period, period_low};
    const double result =
        counts ? fd_circle_of_counts(u, v, whole, p, level) : fd_circle_of_masses(u, v, whole, p, level);
    free(level);
    return result;
}

/* Levels as integers of 64 bits, for counts, and of 256 bits, for exact masses: rotation.h and pull.h with
 * either. */
#ifndef FD_ROTATIONS_H
#define FD_ROTATIONS_H

#include <math.h>
#include <stdint.h>

#include "math/sum.h"
#include "transport/distance.h"
#include "transport/exact.h"
#include "transport/mass.h"
#include "transport/slope.h"
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
#include "transport/pull.h"
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
#include "transport/pull.h"
#undef FD_LEVEL
#undef FD_NAME

static inline void fd_levels_of_counts(int64_t n, int64_t other, uint64_t *level) {
    for (int64_t i = 0; i < n; i++)
        level[i] = (uint64_t)((i + 1) * other);
}

static inline void fd_levels_of_masses(fd_masses a, fd_mass other, fd_u256 *level) {
    fd_mass sum = 0;
    for (int64_t i = 0; i < a.n; i++) {
        sum += fd_mass_at(&a, i);
        level[i] = fd_product(sum, other);
    }
}

#endif

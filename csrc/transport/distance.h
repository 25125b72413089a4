/* Distances of two kinds of values: doubles, and uint64_t for integers beyond 2^53, whose differences stay
 * exact. */
#ifndef FD_DISTANCE_H
#define FD_DISTANCE_H

#include <math.h>
#include <stdint.h>

/* (x - y) * share for x >= y and share <= 1; x - y may exceed the range of double. */
static inline double fd_gap_f64(double x, double y, double share) {
    const double gap = x - y;
    return gap <= 0x1.fffffffffffffp+1023 ? gap * share : x * share - y * share;
}

static inline double fd_gap_u64(uint64_t x, uint64_t y, double share) { return (double)(x - y) * share; }

/* |x - y| times a power of two. */
static inline double fd_distance_f64(double x, double y, double scale) {
    const double distance = fabs(x - y);
    return distance <= 0x1.fffffffffffffp+1023 ? distance * scale : fabs(x * scale - y * scale);
}

static inline double fd_distance_u64(uint64_t x, uint64_t y, double scale) {
    return (double)(x > y ? x - y : y - x) * scale;
}

static inline double fd_power(double x, double p) {
    return p == 1.0 ? x : p == 2.0 ? x * x : p == 3.0 ? x * x * x : pow(x, p);
}

#endif

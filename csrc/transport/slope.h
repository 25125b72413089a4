/* How the cost |x - y|^p of a pair of points rises with x, over the distance W of all: parts of the
 * derivatives of W = (sum of mass |x - y|^p)^(1/p). Ratios to W keep powers within the range of double. */
#ifndef FD_SLOPE_H
#define FD_SLOPE_H

#include <math.h>
#include <stdint.h>

#include "transport/distance.h"
#include "transport/exact.h"
#include "transport/mass.h"

/* sgn(d) (|d| / W)^(p-1): how fast W rises with x where d = x - y, for each share of mass. 0 at d = 0. */
static inline double fd_pull(double d, double p, double W) {
    if (p == 1.0 || d == 0.0)
        return (double)((d > 0.0) - (d < 0.0));
    return p == 2.0 ? d / W : copysign(fd_power(fabs(d) / W, p - 1.0), d);
}

/* Potentials that rise by as much are taken for infinite. */
#define FD_BEYOND 0x1p960

/* (|e|^p - |d|^p) / W^(p-1) to some ulps, however near |d| and |e| are; at most FD_BEYOND. */
static inline double fd_rise(fd_twofold d, fd_twofold e, double p, double W) {
    const fd_twofold x = {fabs(d.high), d.high < 0.0 ? -d.low : d.low};
    const fd_twofold y = {fabs(e.high), e.high < 0.0 ? -e.low : e.low};
    const double gap = fd_twofold_minus(y, x).high;
    if (p == 1.0 || gap == 0.0)
        return gap;
    const double most = x.high > y.high ? x.high : y.high;
    if (p == 2.0 && most / W < FD_BEYOND / most)
        return gap * ((x.high + y.high) / W);
    const double rise = most * fd_power(most / W, p - 1.0) * -expm1(p * log1p(-fabs(gap) / most));
    return copysign(rise < FD_BEYOND ? rise : FD_BEYOND, gap);
}

/* A weight over what its mass keeps of it: masses have 126 bits below the sum of all. */
static inline double fd_lost_in(const fd_masses *a, int64_t i) {
    const fd_mass mass = fd_mass_at(a, i);
    return a->weights && mass && mass < (fd_mass)1 << 53
               ? ldexp(a->weights[i], a->scale) / (double)(int64_t)mass
               : 1.0;
}

/* Derivatives by weights of sum S = t 2^k from those by shares of 1, potentials over `order`, of values times
 * a power of two. */
static inline void fd_by_weights(double *slope, int64_t n, fd_masses a, double order, int unit) {
    int exponent;
    const double t = order * frexp(fd_mass_to_double(a.total), &exponent);
    for (int64_t i = 0; i < n; i++)
        slope[i] = ldexp(slope[i] / t, a.scale - exponent - unit);
}

#endif

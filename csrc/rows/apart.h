/* The slopes of slopes.h by the name of their sum, where there is no loop over bins: of masses far apart, or of none.
 */
#ifndef FD_APART_H
#define FD_APART_H

#include "rows/slopes.h"

/* What slopes.h leaves out of all slopes by x, bits; masses that are not normalised have it back. */
static inline double fd_constant(fd_measure sum) {
    return sum == FD_entropy ? -FD_LOG2_E : sum == FD_kl_divergence ? FD_LOG2_E : 0.0;
}

static inline fd_slopes fd_apart_slopes(fd_measure sum, double log, const fd_pair *pair) {
    switch ((int)sum) {
#define FD_APART(name, ...)                                                                                  \
case FD_##name:                                                                                              \
    return fd_apart_slopes_##name(log, pair);
        FD_SUMMED(FD_APART)
#undef FD_APART
    default:
        return (fd_slopes){NAN, NAN};
    }
}

/* Of a bin without mass: by x as if y were nothing beside it, and the other way round. */
static inline fd_slopes fd_none_slopes(fd_measure sum, const fd_pair *pair) {
    double by_x = sum == FD_entropy ? INFINITY : fd_apart_slopes(sum, INFINITY, pair).by_x;
    return (fd_slopes){by_x, fd_apart_slopes(sum, -INFINITY, pair).by_y};
}

#endif

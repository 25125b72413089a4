/* A second look at derivatives that are small beside the slopes they are the difference of. */
#ifndef FD_AGAIN_H
#define FD_AGAIN_H

#include "rows/slope_table.h"
#include "rows/weigh.h"

/* One row of a pair, of masses, and its derivatives unit (slope - mean), NULL for none. */
typedef struct {
    const fd_row_reader *row;
    double *slopes;
    double mean, unit, least; /* the least |slope - mean| */
    double rest;              /* of long rows: what the mean lacks (fd_settle) */
} fd_again_side;

typedef struct {
    fd_measure sum;
    ptrdiff_t n;
    const fd_pair *pair;
    double alpha, size; /* of Renyi; of the slopes, as fd_slopes_size has it */
    fd_again_side p, q;
} fd_again;

/* How large slopes are in the mean, or nearly: `bits` is the sum that they are of, over that of p. Where rows are near
 * and l is log(x/y), that is alpha l^2/2 (Jeffreys' and chi-square l^2), the slopes alpha l (2 l). */
static inline double fd_slopes_size(fd_measure sum, double alpha, double bits) {
    if (sum == FD_total_variation || fd_is_entropy(sum))
        return sum == FD_total_variation ? 1.0 : bits;
    if (sum == FD_renyi_divergence)
        return sqrt(fabs(alpha * bits)) + fabs(alpha * bits);
    double times = sum == FD_jeffreys_divergence || sum == FD_chi_square ? 2.0
                   : sum == FD_js_divergence                             ? 0.625
                                                                         : 1.0;
    return times * sqrt(bits);
}

/* Whose derivatives feel that the scale between rows is rounded: of others a factor on x/y adds to all logarithms alike,
 * or multiplies differences of powers. Loops take bins that are far apart with the scale as it is rounded (log.h), and of
 * those others, where rows are not near, all bins so, that none be on another scale. */
static inline int fd_feels_scale(fd_measure sum) {
    return sum == FD_js_divergence || sum == FD_jeffreys_divergence || sum == FD_triangular_discrimination ||
           sum == FD_total_variation;
}

/* Slopes less their mean are good to some 4u of the size of the slopes: those below this are looked at again. */
static inline double fd_least_slope(double mean, double size) { return 0x1p-10 * fmax(fabs(mean), size); }

void fd_look_again(fd_again *look);

#endif

/* How far the mass of a row that is not normalised is from another, or from 1: to some 2^-90 of them, since what
 * these differ by may be all there is.
 */
#ifndef FD_EXCESS_H
#define FD_EXCESS_H

#include "math/twofold.h"
#include "rows/weigh.h"

/* The mass of a row as it is read (of logarithms times exp(-top)), where `where` has some. */
static inline fd_twofold fd_exact_mass(const fd_row_reader *r, ptrdiff_t n, double top,
                                       const fd_row_reader *where) {
    fd_twofold sum = {0.0, 0.0};
    for (ptrdiff_t i = 0; i < n; i++) {
        double copy, x = *fd_block(r, i, 1, &copy), below = x - top;
        if (where && !fd_has_mass(where, i))
            continue;
        fd_twofold mass = {x, 0.0};
        if (r->logs)
            mass = below > -INFINITY ? fd_twofold_exp(below, fd_difference_error(x, top))
                                     : (fd_twofold){0.0, 0.0};
        sum = fd_twofold_plus(sum, mass);
    }
    return sum;
}

static inline double fd_mass_difference(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                        double top) {
    fd_twofold x = fd_exact_mass(p, n, top, NULL), y = fd_exact_mass(q, n, top, NULL);
    return fd_twofold_minus(x, y).high;
}

/* Of the row itself, whatever it was scaled by. */
static inline double fd_mass_less_1(const fd_row_reader *r, ptrdiff_t n, const fd_row_reader *where) {
    fd_twofold mass = fd_exact_mass(r, n, 0.0, where);
    return fd_twofold_plus((fd_twofold){ldexp(mass.high, r->exponent), ldexp(mass.low, r->exponent)},
                           (fd_twofold){-1.0, 0.0})
        .high;
}

#endif

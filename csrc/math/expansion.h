/* Sums without rounding: a number as a sum of doubles of which none overlaps the next, least first (Shewchuk,
 * Discrete & Computational Geometry 18 (1997) 305). */
#ifndef FD_EXPANSION_H
#define FD_EXPANSION_H

#include <math.h>
#include <string.h>

#include "math/sum.h"

/* Sixteen parts are 800 bits: the least, which is dropped where there is one more, is nothing to the rest. */
enum { FD_PARTS = 16 };

typedef struct {
    int n;
    double part[FD_PARTS];
} fd_expansion;

static inline void fd_expansion_add(fd_expansion *e, double x) {
    int n = 0;
    for (int k = 0; k < e->n; k++) {
        double y = e->part[k], s = x + y, error = fd_sum_error(x, y, s);
        if (error != 0.0)
            e->part[n++] = error;
        x = s;
    }
    if (n == FD_PARTS)
        memmove(e->part, e->part + 1, (size_t)--n * sizeof *e->part);
    if (x != 0.0)
        e->part[n++] = x;
    e->n = n;
}

/* Adds x times y. */
static inline void fd_expansion_add_product(fd_expansion *e, double x, const fd_expansion *y) {
    for (int k = 0; k < y->n; k++) {
        double product = x * y->part[k];
        fd_expansion_add(e, fma(x, y->part[k], -product));
        fd_expansion_add(e, product);
    }
}

static inline double fd_expansion_value(const fd_expansion *e) {
    double value = 0.0;
    for (int k = 0; k < e->n; k++)
        value += e->part[k];
    return value;
}

#endif

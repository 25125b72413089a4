/* Whether two samples are of laws apart: then few cells (cells.c) do as well as many. */
#ifndef FD_LAWS_H
#define FD_LAWS_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "transport/chunks.h"
#include "transport/sort.h"
#include "transport/sweeps.h"

/* |F - G| of two samples of 512 of one law is a Brownian bridge's over 16: hardly ever beyond FD_NEAR for two thirds of the
 * values, as it nearly always is of normal laws 0.3 deviations apart. */
#define FD_NEAR 0.04

/* Some values of a sample in order, and their shares of what these weigh. How many; 0: they weigh nothing. */
static inline int fd_some_shares(const fd_source *x, const double *weights, double *values, double *shares) {
    double found[FD_SAMPLE / 2], weigh[FD_SAMPLE / 2], total = 0.0;
    ptrdiff_t order[FD_SAMPLE / 2];
    const int n = fd_scattered_with(x, weights, found, weigh, FD_SAMPLE / 2);
    const double *w = weigh;
    for (int i = 0; i < n; i++)
        total += weigh[i];
    if (!(total > 0.0 && total < INFINITY))
        return 0;
    if (weights) {
        fd_arrange_f64(found, &w, n, 0, values, shares, order);
    } else { /* sorts sooner */
        fd_sort_into(found, n, values);
        memcpy(shares, weigh, (size_t)n * sizeof *shares);
    }
    for (int i = 0; i < n; i++)
        shares[i] /= total;
    return n;
}

static inline int fd_are_apart(const fd_source *u, const double *a, const fd_source *v, const double *b) {
    double x[FD_SAMPLE / 2], f[FD_SAMPLE / 2], y[FD_SAMPLE / 2], g[FD_SAMPLE / 2], difference = 0.0;
    const int n = fd_some_shares(u, a, x, f), m = fd_some_shares(v, b, y, g);
    int near = 0;
    for (int i = 0, j = 0; i < n || j < m;) {
        difference += j == m || (i < n && x[i] <= y[j]) ? f[i++] : -g[j++];
        near += fabs(difference) <= FD_NEAR;
    }
    return n && m && 3 * near < n + m;
}

#endif

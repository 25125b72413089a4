/* What hist.c and hist_gradient.c know of a histogram: the exact masses of its bins, and their edges. */
#ifndef FD_BINS_H
#define FD_BINS_H

#include <math.h>
#include <stdint.h>

#include "transport/exact.h"
#include "transport/mass.h"
#include "transport/transport.h"

/* The masses of one row, each a sum of two doubles. */
typedef struct {
    const double *high, *low; /* low = NULL: all are doubles */
    int64_t n;
    fd_mass total;
    int scale;
} fd_bins;

static inline fd_mass fd_bin_mass(const fd_bins *a, int64_t i) {
    const fd_mass mass = fd_mass_of(a->high[i], a->scale);
    if (!a->low)
        return mass;
    const fd_mass rest = fd_mass_of(fabs(a->low[i]), a->scale);
    return a->low[i] < 0.0 ? mass - rest : mass + rest;
}

static inline fd_bins fd_bins_of(const fd_hists *x, int64_t row) {
    const int64_t at = row * x->step;
    fd_bins a = {.high = x->masses + at, .low = x->masses_low ? x->masses_low + at : NULL, .n = x->bins};
    a.scale = fd_mass_scale(fd_largest_weight(a.high, a.n), a.n);
    for (int64_t i = 0; i < a.n; i++)
        a.total += fd_bin_mass(&a, i);
    return a;
}

typedef struct {
    const double *high, *low;
} fd_edges;

static inline fd_twofold fd_edge_at(fd_edges x, int64_t i) {
    return (fd_twofold){x.high[i], x.low ? x.low[i] : 0.0};
}

/* x - (where the bin of y between edges j and j + 1 is at the share N / D). */
static inline double fd_edge_difference(fd_twofold x, fd_edges y, int64_t j, fd_u256 N, fd_u256 D) {
    const fd_twofold low = fd_edge_at(y, j);
    return fd_exact_difference(x, low, fd_edge_at(y, j + 1), low, N, D);
}

/* W_p of two rows, p <= inf. */
double fd_hist_wasserstein(fd_edges x, fd_bins a, fd_edges y, fd_bins b, double p);

#endif

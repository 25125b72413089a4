/* Slopes that may be no doubles, where their products with the masses are: what gradient.c does beside its loops. */
#ifndef FD_STEEP_H
#define FD_STEEP_H

#include "rows/apart.h"
#include "rows/pair.h"
#include "rows/wide.h"

/* What two rows have in common while their slopes are written. */
typedef struct {
    fd_measure sum;
    const fd_row_reader *p, *q;
    ptrdiff_t n;
    fd_pair pair;
    double *by_p, *by_q;
    int is_ordinary; /* the rows were not scaled */
    int is_steep;    /* slopes overflowed where there is mass */
    fd_sum x, y;     /* of x by_x, of y by_y */
    fd_sum terms;    /* fd_is_at_once */
} fd_slope_work;

static void fd_add_products(fd_slope_work *w, double by_x, double by_y) {
    fd_sum_add(&w->x, by_x);
    fd_sum_add(&w->y, by_y);
}

/* log2 of the size of the slopes of a bin that overflowed: what the masses there differ by is all that is left
 * of slopes.h. */
static fd_slopes fd_log2_steepness(const fd_slope_work *w, ptrdiff_t i) {
    const fd_pair *pair = &w->pair;
    double log = fd_log2_share(w->p, i) - fd_log2_share(w->q, i) - log2(pair->c_hi), unit = log2(FD_LOG2_E);
    double alpha = 1.0 + pair->order, above = log - FD_LOG2_E * pair->divergence;
    switch ((int)w->sum) {
    case FD_hellinger_distance:
        return (fd_slopes){-0.5 * log, 0.5 * log};
    case FD_chi_square:
        return (fd_slopes){1.0 + log, 2.0 * log};
    case FD_renyi_divergence:
        if (alpha == INFINITY)
            return (fd_slopes){unit - fd_log2_probability(w->p, i), unit - fd_log2_probability(w->q, i)};
        return (fd_slopes){unit + log2(fabs(alpha / pair->order)) + pair->order * above,
                           unit + pair->order * above + log};
    default:
        return (fd_slopes){unit - log, unit + log};
    }
}

/* x by_x or y by_y, of a mass times 2^-e, where a slope may have overflowed: the product is a double if the
 * measure is. */
static double fd_product(fd_slope_work *w, const fd_row_reader *r, ptrdiff_t i, double mass, int e,
                         double slope) {
    if (!isinf(slope) || !fd_has_mass(r, i))
        return ldexp(fd_if_any(mass, slope), e);
    fd_slopes steepness = fd_log2_steepness(w, i);
    w->is_steep = 1;
    return copysign(exp2((r == w->p ? steepness.by_x : steepness.by_y) + fd_log2_share(r, i)), slope);
}

static fd_slope_sums fd_sum_products(fd_slope_work *w, ptrdiff_t start, ptrdiff_t n, const double *p,
                                     const double *q) {
    fd_slope_sums sums = {0.0, 0.0, INFINITY};
    for (ptrdiff_t i = 0; i < n; i++) {
        sums.by_x += p[i] > 0.0 ? fd_product(w, w->p, start + i, p[i], 0, w->by_p[start + i]) : 0.0;
        if (w->by_q && q[i] > 0.0)
            sums.by_y += fd_product(w, w->q, start + i, q[i], 0, w->by_q[start + i]);
    }
    return sums;
}

/* Derivatives that overflowed, once more: in the units of its row a slope may be a double, beside its mean (2^-64 of
 * it: `mean_down`) or without. One that overflowed in these units only is left: beside it nothing is steep. */
static void fd_settle_steep(const fd_slope_work *w, const fd_row_reader *r, double mean_down, double unit,
                            double *slopes) {
    int rises =
        r == w->p && (w->sum == FD_chi_square || (w->sum == FD_renyi_divergence && w->pair.order > 0.0));
    double log = log2(fabs(unit)) - (r->normalize ? log2(r->sum) + r->exponent : 0.0),
           sign = rises ? 1.0 : -1.0;
    double order = w->pair.order,
           least = w->sum == FD_renyi_divergence ? fmin(0.0, log2(fabs(1.0 / order + 1.0))) : 0.0;
    for (ptrdiff_t i = 0; i < w->n; i++)
        if (isinf(slopes[i]) && fd_has_mass(r, i)) {
            fd_slopes both = fd_log2_steepness(w, i);
            double steepness = r == w->p ? both.by_x : both.by_y;
            if (steepness < 900.0 + least)
                continue;
            if (r->normalize && steepness < 1080.0) { /* near enough for the mean to matter */
                int exponent;
                double slope = frexp(sign * exp2(steepness - 64.0) - mean_down, &exponent);
                slopes[i] = ldexp(slope * unit / r->sum, exponent + 64 - r->exponent);
            } else {
                slopes[i] = sign * exp2(steepness + log);
            }
        }
}

/* A bin on its own, of masses that the loops cannot take (wide.h). */
static void fd_odd_slopes(fd_slope_work *w, ptrdiff_t i) {
    int is_entropy = fd_is_entropy(w->sum), e;
    fd_measure homogeneous = w->sum == FD_entropy ? FD_cross_entropy : w->sum;
    fd_slopes s;
    double x, y;
    if (fd_scale_bin(w->p, w->q, i, &x, &y, &e)) {
        fd_slope_loops_now->of_masses[homogeneous](&x, &y, 1, &w->pair, &s.by_x, &s.by_y);
    } else {
        double log = fd_log2_share(w->p, i) - fd_log2_share(w->q, i) - log2(w->pair.c_hi);
        s = fd_apart_slopes(homogeneous, log, &w->pair);
    }
    if (is_entropy)
        s.by_x = fd_has_mass(w->q, i) ? log2(w->pair.pivot) - fd_log2_share(w->q, i) : INFINITY;
    w->by_p[i] = s.by_x;
    if (w->by_q)
        w->by_q[i] = s.by_y;
    fd_add_products(w, fd_product(w, w->p, i, x, e, s.by_x), fd_product(w, w->q, i, y, e, s.by_y));
}

#endif

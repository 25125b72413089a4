/* From what is asked for to the sum that is taken, and from the sum to the value. */
#ifndef FD_FINISH_H
#define FD_FINISH_H

#include "rows/list.h"
#include "rows/measures.h"
#include "rows/terms.h"

/* Orders below this divide what is then multiplied by them. */
static const double FD_ALPHA_MIN = 0x1p-900;

/* Renyi's divergence is asked for in several ways:
 *     Bhattacharyya: half of that of order 1/2.    Order 1: Kullback-Leibler.
 *     D_alpha(p, q) = alpha/(1-alpha) D_(1-alpha)(q, p),    alpha < 1/2. */
typedef struct {
    fd_measure measure;
    double alpha, order, factor; /* order: alpha - 1, or that of the exchanged rows */
    int swap;                    /* the rows are exchanged */
} fd_route;

static inline fd_route fd_route_of(fd_measure measure, const fd_options *o) {
    fd_route r = {measure, o->alpha, o->alpha - 1.0, 1.0, 0};
    if (measure == FD_bhattacharyya_distance)
        return (fd_route){FD_renyi_divergence, 0.5, -0.5, 0.5, 0};
    if (measure == FD_renyi_divergence && o->alpha == 1.0)
        r.measure = FD_kl_divergence;
    if (measure == FD_renyi_divergence && o->alpha > 0.0 && o->alpha < 0.5) {
        r.factor = o->alpha / (1.0 - o->alpha);
        r.order = -o->alpha;
        r.swap = 1;
    }
    return r;
}

/* A sum x log(x/y) = P - N of rows that are not normalised, bits, is what its terms add to where they do not nearly
 * cancel: y - x >= x ln(y/x), so N is at most the sum of q, and P + N at most 65 times a P - N of 1/32 of it. */
static inline int fd_kl_stands(double excess, double q_sum) { return excess * FD_LN_2 >= q_sum * 0x1p-5; }

/* Else it is d + sum [x - y], d = sum [x log(x/y) - x + y] >= 0, if these do not cancel either: for certain here, else
 * where d is less than P + N. */
static inline int fd_kl_is_near(double d, double excess) { return d <= 0x1p5 * fabs(excess); }

/* The largest value before the root: of Jensen-Shannon the entropy of the mixture weights, bits. */
static inline double fd_bound(fd_measure measure, double w_p, double w_q) {
    const fd_traits *traits = &fd_measures[measure];
    if (traits->option == FD_OPTION_WEIGHTS && w_p != 0.5)
        return fd_weight_entropy((double[]){w_p, w_q}, 2);
    return traits->most;
}

/* Whether rows may be disjoint, and only rounding keeps them from the bound. */
static inline int fd_is_at_bound(double d, double bound) { return d > bound * (1.0 - 1e-9) && d < INFINITY; }

static inline double fd_finish(const fd_traits *traits, double d, const fd_options *o) {
    d = traits->in_bits ? fd_in_unit(d, o) : d;
    return traits->root ? sqrt(d) : d;
}

/* Renyi's divergences of two orders by other sums: log(1 + chi-square) takes a quarter of the time, -2 log(1 - h^2)
 * of the Hellinger distance half; bits, NaN where they will not do. */
static inline double fd_renyi_of_chi_square(double chi_square) {
    return chi_square < INFINITY ? log1p(chi_square) * FD_LOG2_E : NAN;
}
static inline double fd_renyi_of_hellinger(double sum) {
    double square = 0.5 * sum;
    return square < 0.75 ? -2.0 * log1p(-square) * FD_LOG2_E : NAN;
}

#endif

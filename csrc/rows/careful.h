/* The derivatives of slopes.h in two doubles, of masses: for those that are small beside what they are the difference
 * of. x, y and x - y of a bin are known to some 2^-100 of themselves, once the scale between the rows is (again.c).
 */
#ifndef FD_CAREFUL_H
#define FD_CAREFUL_H

#include "math/twofold.h"
#include "rows/slope_table.h"

typedef struct {
    fd_twofold x, y, d;
    double q; /* as it is given */
} fd_careful_bin;

/* x - q (c_hi + c_lo + c_rest): the first difference is exact where the two are near, and the others are small. */
FD_INLINE fd_careful_bin fd_careful_bin_of(double p, double q, const fd_careful_pair *pair) {
    const fd_twofold large = fd_two_product(q, pair->c_hi), small = fd_two_product(q, pair->c_lo);
    const fd_twofold first = fd_two_sum(p, -large.high);
    const fd_twofold second = fd_twofold_plus(first, (fd_twofold){-large.low, 0.0});
    const fd_twofold third = fd_twofold_minus(second, small);
    return (fd_careful_bin){
        {p, 0.0},
        fd_twofold_plus(large, small),
        fd_twofold_plus(third, (fd_twofold){-q * pair->c_rest, 0.0}),
        q,
    };
}

FD_INLINE fd_twofold fd_careful_negative(fd_twofold x) { return (fd_twofold){-x.high, -x.low}; }

FD_INLINE fd_twofold fd_careful_bits(fd_twofold nats) { return fd_twofold_times(nats, FD_TWOFOLD_LOG2_E); }

FD_INLINE fd_careful_slopes fd_careful_kl_divergence(fd_careful_bin b, const fd_careful_pair *pair) {
    return (fd_careful_slopes){fd_twofold_log2_ratio(b.x, b.y, b.d),
                               fd_careful_bits(fd_careful_negative(fd_twofold_ratio(b.d, b.y)))};
}

FD_INLINE fd_careful_slopes fd_careful_jeffreys_divergence(fd_careful_bin b, const fd_careful_pair *pair) {
    const fd_twofold log = fd_twofold_log2_ratio(b.x, b.y, b.d);
    return (fd_careful_slopes){
        fd_twofold_plus(log, fd_careful_bits(fd_twofold_ratio(b.d, b.x))),
        fd_careful_negative(fd_twofold_plus(log, fd_careful_bits(fd_twofold_ratio(b.d, b.y)))),
    };
}

/* m = x - w_q (x - y), where the weights add to 1. */
FD_INLINE fd_careful_slopes fd_careful_js_divergence(fd_careful_bin b, const fd_careful_pair *pair) {
    const double w_p = pair->w_p, w_q = pair->w_q;
    const fd_twofold of_x = fd_twofold_scaled(b.d, w_q), of_y = fd_twofold_scaled(b.d, -w_p);
    const fd_twofold m = fd_twofold_plus(fd_twofold_scaled(b.x, w_p), fd_twofold_scaled(b.y, w_q));
    return (fd_careful_slopes){fd_twofold_scaled(fd_twofold_log2_ratio(b.x, m, of_x), w_p),
                               fd_twofold_scaled(fd_twofold_log2_ratio(b.y, m, of_y), w_q)};
}

FD_INLINE fd_careful_slopes fd_careful_total_variation(fd_careful_bin b, const fd_careful_pair *pair) {
    return (fd_careful_slopes){{0.0, 0.0}, {0.0, 0.0}}; /* by signs (again.c) */
}

FD_INLINE fd_careful_slopes fd_careful_hellinger_distance(fd_careful_bin b, const fd_careful_pair *pair) {
    const fd_twofold root = fd_twofold_times(fd_twofold_root(b.x), fd_twofold_root(b.y));
    return (fd_careful_slopes){
        fd_twofold_ratio(b.d, fd_twofold_plus(b.x, root)),
        fd_careful_negative(fd_twofold_ratio(b.d, fd_twofold_plus(b.y, root))),
    };
}

FD_INLINE fd_careful_slopes fd_careful_chi_square(fd_careful_bin b, const fd_careful_pair *pair) {
    const fd_twofold ratio = fd_twofold_ratio(b.d, b.y);
    return (fd_careful_slopes){
        {2.0 * ratio.high, 2.0 * ratio.low},
        fd_careful_negative(fd_twofold_times(ratio, fd_twofold_ratio(fd_twofold_plus(b.x, b.y), b.y))),
    };
}

FD_INLINE fd_careful_slopes fd_careful_triangular_discrimination(fd_careful_bin b,
                                                                 const fd_careful_pair *pair) {
    const fd_twofold sum = fd_twofold_plus(b.x, b.y), ratio = fd_twofold_ratio(b.d, sum);
    const fd_twofold by_x = fd_twofold_plus(b.x, fd_twofold_scaled(b.y, 3.0)),
                     by_y = fd_twofold_plus(b.y, fd_twofold_scaled(b.x, 3.0));
    return (fd_careful_slopes){
        fd_twofold_times(ratio, fd_twofold_ratio(by_x, sum)),
        fd_careful_negative(fd_twofold_times(ratio, fd_twofold_ratio(by_y, sum))),
    };
}

/* alpha - 1 as it is, though rounded it may be another order; D, which all slopes have in common, as it is rounded. */
FD_INLINE fd_careful_slopes fd_careful_renyi_divergence(fd_careful_bin b, const fd_careful_pair *pair) {
    const fd_twofold log = fd_twofold_times(fd_twofold_log2_ratio(b.x, b.y, b.d), FD_TWOFOLD_LN_2);
    const fd_twofold above = fd_twofold_plus(log, (fd_twofold){-pair->divergence, 0.0});
    const fd_twofold power = fd_twofold_times((fd_twofold){pair->order, pair->order_lo}, above);
    const fd_twofold by_x = fd_twofold_expm1(power), by_y = fd_twofold_expm1(fd_twofold_plus(power, log));
    return (fd_careful_slopes){
        fd_twofold_scaled(by_x, FD_LOG2_E * ((1.0 + pair->order) / pair->order)),
        fd_twofold_scaled(by_y, -FD_LOG2_E),
    };
}

FD_INLINE fd_careful_slopes fd_careful_cross_entropy(fd_careful_bin b, const fd_careful_pair *pair) {
    const fd_twofold pivot = {pair->pivot, 0.0}, q = {b.q, 0.0};
    return (fd_careful_slopes){fd_twofold_log2_ratio(pivot, q, fd_two_sum(pair->pivot, -b.q)),
                               fd_careful_bits(fd_careful_negative(fd_twofold_ratio(b.d, b.y)))};
}

FD_INLINE fd_careful_slopes fd_careful_entropy(fd_careful_bin b, const fd_careful_pair *pair) {
    const fd_twofold pivot = {pair->pivot, 0.0};
    return (fd_careful_slopes){fd_twofold_log2_ratio(pivot, b.x, fd_two_sum(pair->pivot, -b.x.high)),
                               {0.0, 0.0}};
}

#endif

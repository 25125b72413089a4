/* The derivatives of the measures: by the two masses of a bin, each as if it were free.
 *
 *     D = sum term(x_i, y_i),    by_x = d term/dx,    by_y = d term/dy,    up to a constant of each row:
 *
 * the rows are shares, and what is added to all slopes of a row drops out when their mean is taken off
 * (gradient.c). The constant is chosen such that slopes are 0 where the masses agree, and computed from what
 * fd_bin knows exactly: so near-identical rows keep their digits here as they do in the terms. Rows that are not
 * normalised (is_raw) have it back: by q here, by p in gradient.c.
 *
 * All slopes but entropies' are functions of x/y alone (and Renyi's of D). `apart` are they where x/y is 2^log, |log| >= 799, or
 * infinite; with it rows of any width have a gradient, and bins without mass: the derivative towards mass.
 */
#ifndef FD_SLOPES_H
#define FD_SLOPES_H

#include "rows/measures.h"
#include "rows/slope_table.h"

/* exp(v) - 1. */
FD_INLINE double fd_expm1(double v) {
    double near = fd_madd(v * v, fd_exp_tail(v), v);
    return v * v <= 1.0 ? near : fd_exp(v) - 1.0;
}

/* d = x - y, or x where y has no constant to be left out: slopes by q of rows that are not normalised. (No selection,
 * of which gcc makes one division for each choice.) */
FD_INLINE double fd_excess(double x, double d, const fd_pair *pair) {
    return fd_madd(1.0 - pair->is_raw, d, pair->is_raw * x);
}

/* mass times slope, 0 where there is no mass: its slope may be infinite. */
FD_INLINE double fd_if_any(double mass, double slope) {
    double product = mass * slope;
    return mass > 0.0 ? product : 0.0;
}

/* x log(x/y) - x + y: log(x/y) and -(x - y)/y. */
FD_INLINE fd_slopes fd_slopes_kl_divergence(fd_bin b, const fd_pair *pair) {
    return (fd_slopes){b.log, -FD_LOG2_E * (fd_excess(b.mass, b.d, pair) / b.y)};
}
static inline fd_slopes fd_apart_slopes_kl_divergence(double log, const fd_pair *pair) {
    return (fd_slopes){log, FD_LOG2_E * ((pair->is_raw ? 0.0 : 1.0) - exp2(log))};
}

/* (x - y) log(x/y). */
FD_INLINE fd_slopes fd_slopes_jeffreys_divergence(fd_bin b, const fd_pair *pair) {
    return (fd_slopes){b.log + FD_LOG2_E * (b.d / b.x), -b.log - FD_LOG2_E * (b.d / b.y)};
}
static inline fd_slopes fd_apart_slopes_jeffreys_divergence(double log, const fd_pair *pair) {
    return (fd_slopes){log + FD_LOG2_E * (1.0 - exp2(-log)), -log + FD_LOG2_E * (1.0 - exp2(log))};
}

/* w_p log(x/m) and w_q log(y/m), m = w_p x + w_q y. */
FD_INLINE fd_slopes fd_slopes_js_divergence(fd_bin b, const fd_pair *pair) {
    double m = pair->w_p * b.x + pair->w_q * b.y;
    double by_x = pair->w_p * fd_log2_ratio(b.x, m, pair->w_q * b.d);
    double by_y = pair->w_q * fd_log2_ratio(b.y, m, -pair->w_p * b.d);
    by_x = b.come & (pair->w_p > 0.0) ? -INFINITY : by_x;
    by_y = b.gone & (pair->w_q > 0.0) ? -INFINITY : by_y;
    return (fd_slopes){by_x, by_y};
}
static inline fd_slopes fd_apart_slopes_js_divergence(double log, const fd_pair *pair) {
    double at_x = -fd_log2_weight(pair->w_p, pair->w_q), at_y = -fd_log2_weight(pair->w_q, pair->w_p);
    double by_x = log > 0.0 ? at_x : log + at_y, by_y = log > 0.0 ? at_x - log : at_y;
    if (pair->w_p == 0.0 || pair->w_q == 0.0) /* the mixture is one of them, whatever the other is */
        return (fd_slopes){0.0, 0.0};
    return (fd_slopes){pair->w_p * by_x, pair->w_q * by_y};
}

/* |x - y|; 0 at its kink, and where the loop does not decide (signs.h). */
FD_INLINE fd_slopes fd_slopes_total_variation(fd_bin b, const fd_pair *pair) {
    double least = pair->undecided * b.x, sign = (b.d > least ? 1.0 : 0.0) - (b.d < -least ? 1.0 : 0.0);
    return (fd_slopes){sign, -sign};
}
static inline fd_slopes fd_apart_slopes_total_variation(double log, const fd_pair *pair) {
    return (fd_slopes){log > 0.0 ? 1.0 : -1.0, log > 0.0 ? -1.0 : 1.0};
}

/* (sqrt x - sqrt y)^2: 1 - sqrt(y/x) and 1 - sqrt(x/y). */
FD_INLINE fd_slopes fd_slopes_hellinger_distance(fd_bin b, const fd_pair *pair) {
    double root = sqrt(b.x) * sqrt(b.y), by_x = b.d / (b.x + root), by_y = -b.d / (b.y + root);
    return (fd_slopes){b.come ? -INFINITY : by_x, b.gone ? -INFINITY : by_y};
}
static inline fd_slopes fd_apart_slopes_hellinger_distance(double log, const fd_pair *pair) {
    return (fd_slopes){1.0 - exp2(-0.5 * log), 1.0 - exp2(0.5 * log)};
}

/* (x - y)^2 / y: 2 (x - y)/y and -(x - y)(x + y)/y^2. */
FD_INLINE fd_slopes fd_slopes_chi_square(fd_bin b, const fd_pair *pair) {
    double ratio = b.d / b.y;
    return (fd_slopes){2.0 * ratio, -ratio * ((b.x + b.y) / b.y)};
}
static inline fd_slopes fd_apart_slopes_chi_square(double log, const fd_pair *pair) {
    return (fd_slopes){2.0 * (exp2(log) - 1.0), 1.0 - exp2(2.0 * log)};
}

/* (x - y)^2 / (x + y): (x - y)(x + 3y)/(x + y)^2 and -(x - y)(3x + y)/(x + y)^2. */
FD_INLINE fd_slopes fd_slopes_triangular_discrimination(fd_bin b, const fd_pair *pair) {
    double sum = b.x + b.y, ratio = b.d / sum;
    return (fd_slopes){ratio * ((b.x + 3.0 * b.y) / sum), -ratio * ((3.0 * b.x + b.y) / sum)};
}
static inline fd_slopes fd_apart_slopes_triangular_discrimination(double log, const fd_pair *pair) {
    return (fd_slopes){log > 0.0 ? 1.0 : -3.0, log > 0.0 ? -3.0 : 1.0};
}

/* Renyi's divergence itself, of order alpha = 1 + order, with l = ln(x/y) and D in nats:
 *     alpha/order (exp(order (l - D)) - 1)    and    -(exp(alpha l - order D) - 1).
 * Of rows of other mass than 1 D grows as order goes to 0, order D does not. */
FD_INLINE fd_slopes fd_renyi_slopes(double l, const fd_pair *pair) {
    double alpha = 1.0 + pair->order, mass = pair->order * pair->divergence;
    double v = pair->is_raw ? pair->order * l - mass : pair->order * (l - pair->divergence);
    double w = pair->is_raw ? alpha * l - mass : alpha * (l - pair->divergence) + pair->divergence;
    double by_p = pair->is_raw ? fd_exp(v) : fd_expm1(v), by_q = pair->is_raw ? fd_exp(w) : fd_expm1(w);
    return (fd_slopes){FD_LOG2_E * (alpha / pair->order) * by_p, -FD_LOG2_E * by_q};
}
FD_INLINE fd_slopes fd_slopes_renyi_divergence(fd_bin b, const fd_pair *pair) {
    return fd_renyi_slopes(b.log * FD_LN_2, pair);
}
static inline fd_slopes fd_apart_slopes_renyi_divergence(double log, const fd_pair *pair) {
    return fd_renyi_slopes(log * FD_LN_2, pair);
}

/* What makes of a bin's slopes those of its two entries: of masses the slopes, of logarithms slope times
 * mass, 0 where there is no mass. Where the slope may be no double, but its product with the mass is one, the
 * measure has `pulls` of its own. */
FD_INLINE fd_slopes fd_pulled(fd_bin b, fd_slopes slopes) {
    return (fd_slopes){fd_if_any(b.mass, slopes.by_x), fd_if_any(b.y - FD_TINY, slopes.by_y)};
}

#define FD_PULLED(name)                                                                                      \
    FD_INLINE fd_slopes fd_pulls_##name(fd_bin b, const fd_pair *pair) {                                     \
        return fd_pulled(b, fd_slopes_##name(b, pair));                                                      \
    }
FD_PULLED(js_divergence)
FD_PULLED(total_variation)
FD_PULLED(hellinger_distance)
FD_PULLED(triangular_discrimination)
#undef FD_PULLED

FD_INLINE fd_slopes fd_pulls_kl_divergence(fd_bin b, const fd_pair *pair) {
    return (fd_slopes){fd_if_any(b.mass, b.log), -FD_LOG2_E * fd_excess(b.mass, b.d, pair)};
}

FD_INLINE fd_slopes fd_pulls_jeffreys_divergence(fd_bin b, const fd_pair *pair) {
    double by_x = fd_if_any(b.mass, b.log), by_y = fd_if_any(b.y - FD_TINY, b.log);
    return (fd_slopes){by_x + FD_LOG2_E * b.d, -by_y - FD_LOG2_E * b.d};
}

/* x^2/y and the like as exp(2 log x - log y): x exp(l) with l = ln(x/y). */
FD_INLINE double fd_times_power(double x, double l) {
    double half = fd_exp(0.5 * l), far = (x * half) * half;
    return x > 0.0 ? far : 0.0;
}

FD_INLINE fd_slopes fd_pulls_chi_square(fd_bin b, const fd_pair *pair) {
    double l = b.log * FD_LN_2, square = fd_times_power(b.mass, l), ratio = b.d / b.y;
    fd_slopes near = {2.0 * b.mass * ratio, -b.d * ((b.x + b.y) / b.y)};
    fd_slopes far = {2.0 * (square - b.mass), (b.y - FD_TINY) - square};
    int is_near = l * l <= 1.0;
    return (fd_slopes){is_near ? near.by_x : far.by_x, is_near ? near.by_y : far.by_y};
}

/* x^alpha y^(1-alpha) may be much more than x and y, of which exp makes 0: so by log x there. */
FD_INLINE fd_slopes fd_renyi_pulls(fd_bin b, double log_x, const fd_pair *pair) {
    double alpha = 1.0 + pair->order, l = b.log * FD_LN_2, y = b.y - FD_TINY;
    double v = pair->is_raw ? pair->order * l - pair->order * pair->divergence
                            : pair->order * (l - pair->divergence);
    double w = v + l; /* = alpha l - order D */
    int is_some = log_x > -INFINITY;
    double by_power = fd_times_power(b.mass, v), by_log = fd_exp(log_x + v);
    double grown = (b.mass > 0.0) & !pair->is_raw ? by_power : by_log; /* = y e^w */
    double by_x = v * v <= 1.0 ? b.mass * fd_expm1(v) : grown - b.mass;
    double by_y = w * w <= 1.0 ? y * fd_expm1(w) : grown - y;
    by_x = pair->is_raw ? grown : by_x;
    by_y = pair->is_raw ? grown : by_y;
    by_x = is_some ? by_x : 0.0;
    by_y = is_some ? by_y : (pair->is_raw ? 0.0 : -y);
    return (fd_slopes){FD_LOG2_E * (alpha / pair->order) * by_x, -FD_LOG2_E * by_y};
}

/* Makes the two functions that the loops call. */
#define FD_SLOPES_OF_BINS(name)                                                                              \
    FD_INLINE fd_slopes fd_##name##_slopes_of_masses(double p, double q, const fd_pair *pair) {              \
        return fd_slopes_##name(fd_bin_of_masses(p, q, pair), pair);                                         \
    }                                                                                                        \
    FD_INLINE fd_slopes fd_##name##_slopes_of_logs(double p, double q, const fd_pair *pair) {                \
        return fd_pulls_##name(fd_bin_of_logs(p, q, pair), pair);                                            \
    }
FD_SLOPES_OF_BINS(kl_divergence)
FD_SLOPES_OF_BINS(jeffreys_divergence)
FD_SLOPES_OF_BINS(js_divergence)
FD_SLOPES_OF_BINS(total_variation)
FD_SLOPES_OF_BINS(hellinger_distance)
FD_SLOPES_OF_BINS(chi_square)
FD_SLOPES_OF_BINS(triangular_discrimination)
FD_INLINE fd_slopes fd_renyi_divergence_slopes_of_masses(double p, double q, const fd_pair *pair) {
    return fd_slopes_renyi_divergence(fd_bin_of_masses(p, q, pair), pair);
}
FD_INLINE fd_slopes fd_renyi_divergence_slopes_of_logs(double p, double q, const fd_pair *pair) {
    return fd_renyi_pulls(fd_bin_of_logs(p, q, pair), (p - pair->max_p) - pair->log_p, pair);
}
#undef FD_SLOPES_OF_BINS

/* -log y and -(x - y)/y. The first is told from the mass that is 2^-H of its row, whose own slope is 0: what
 * rounding that mass does to all slopes alike their mean takes off. */
FD_INLINE fd_slopes fd_cross_entropy_slopes_of_masses(double p, double q, const fd_pair *pair) {
    double d = fd_excess(p, fd_difference(p, q, pair->c_hi, pair->c_lo), pair);
    double y = fd_madd(q, pair->c_hi, FD_TINY);
    double by_x = fd_log2_ratio(pair->pivot, q, pair->pivot - q);
    return (fd_slopes){q > 0.0 ? by_x : INFINITY, -FD_LOG2_E * (d / y)};
}

FD_INLINE fd_slopes fd_cross_entropy_slopes_of_logs(double p, double q, const fd_pair *pair) {
    fd_bin b = fd_bin_of_logs(p, q, pair);
    double by_x = b.mass * (FD_LOG2_E * ((pair->max_q - q) + pair->pivot));
    return (fd_slopes){b.mass > 0.0 ? by_x : 0.0, -FD_LOG2_E * b.d};
}

/* By y; by x it is no function of x/y, and gradient.c has its own way with wide rows. */
static inline fd_slopes fd_apart_slopes_cross_entropy(double log, const fd_pair *pair) {
    return fd_apart_slopes_kl_divergence(log, pair);
}

FD_INLINE fd_slopes fd_entropy_slopes_of_masses(double p, double q, const fd_pair *pair) {
    double by_x = fd_log2_ratio(pair->pivot, p, pair->pivot - p);
    return (fd_slopes){p > 0.0 ? by_x : INFINITY, 0.0};
}

FD_INLINE fd_slopes fd_entropy_slopes_of_logs(double p, double q, const fd_pair *pair) {
    double mass = fd_exp((p - pair->max_p) - pair->log_p);
    double by_x = mass * (FD_LOG2_E * ((pair->max_p - p) + pair->pivot));
    return (fd_slopes){mass > 0.0 ? by_x : 0.0, 0.0};
}

#endif

/* The measures: what each adds up over the bins.
 *
 *     D(p, q) = finish( sum_i term(p_i, q_i) )
 *
 * Every term is >= 0 and 0 to second order where the two masses agree, so the sum cannot cancel: its relative
 * error is that of a term, some 10 u at worst, plus (n/16 lanes within a block of 512) 32 u. Together 5e-15,
 * against the 1e-12 that is promised; tests/rows/test_accuracy.py holds every measure to it on every instruction
 * set.
 *
 * A term sees its bin as fd_bin: the two masses on one scale (x = p_i, y = q_i sum(p)/sum(q), never divided
 * by their sums), their difference to twice the working precision, and, computed only if it is used, the log
 * ratio and the relative entropy of the bin. A bin comes from masses or from logarithms; the terms are the
 * same.
 *
 * Beside its term each has `apart`, what is left of the term where one mass is 2^800 times the other or more:
 * with it rows of any width are summed (wide.h), as the terms are homogeneous, term(a x, a y) = a term(x, y).
 * A measure is these two functions, FD_OF_BINS, its row in list.h and its slopes (slopes.h); how to add one is in
 * .github/CONTRIBUTING.md, file by file, and tests/machine/test_completeness.py names what of it is missing.
 */
#ifndef FD_MEASURES_H
#define FD_MEASURES_H

#include <float.h>

#include "math/log.h"
#include "rows/table.h"

typedef struct {
    double mass;     /* of p */
    double x, y;     /* the masses, FD_TINY more than they are: never 0 */
    double d;        /* x - y, relative error 2u */
    int gone, come;  /* there is mass in p and none in q; in q and none in p */
    double log;      /* log2(x/y); +-inf where one of them is 0, 0 where both are */
    double relative; /* x log2(x/y) - (x-y)/ln 2 >= 0; y/ln 2 where x = 0, inf where only y is */
} fd_bin;

/* Where both rows have mass: the same bits without asking. */
FD_INLINE fd_bin fd_bin_of_full(double p, double q, const fd_pair *pair) {
    fd_bin b;
    b.mass = p;
    b.x = p + FD_TINY;
    b.y = fd_madd(q, pair->c_hi, FD_TINY);
    b.d = fd_difference(p, q, pair->c_hi, pair->c_lo);
    b.gone = b.come = 0;
    b.log = fd_log2_ratio(b.x, b.y, b.d);
    b.relative = fd_relative_entropy(b.x, b.y, b.d);
    return b;
}

FD_INLINE fd_bin fd_bin_of_masses(double p, double q, const fd_pair *pair) {
    fd_bin b = fd_bin_of_full(p, q, pair);
    b.gone = (p > 0.0) & (q == 0.0);
    b.come = (p == 0.0) & (q > 0.0);
    int none = (p == 0.0) & (q == 0.0);
    double log = b.gone ? INFINITY : b.log;
    log = b.come ? -INFINITY : log;
    b.log = none ? 0.0 : log;
    b.relative = b.gone ? INFINITY : b.relative;
    return b;
}

/* log x - log y of rows of logarithms: exact where they are near, and finite where they are. */
FD_INLINE double fd_log_difference(double p, double q, const fd_pair *pair) {
    double near = ((p - q) - pair->shift) + (fd_difference_error(p, q) - pair->shift_lo);
    double far = ((p - pair->max_p) - (q - pair->max_q)) + (pair->log_q - pair->log_p);
    return fabs(p - q) < 1e300 ? near : far;
}

/* Rows of logarithms: x = exp(p - log sum exp p), y likewise. With D = log x - log y, known without rounding
 * where p and q are near, and e = D^2 E(-D) = exp(-D) - 1 + D:
 *     x - y = x (D - e),    x D - (x - y) = x e,    for |D| <= 1. */
FD_INLINE fd_bin fd_bin_of_logs(double p, double q, const fd_pair *pair) {
    double x = fd_exp((p - pair->max_p) - pair->log_p), y = fd_exp((q - pair->max_q) - pair->log_q);
    double difference = fd_log_difference(p, q, pair);
    double e = difference * difference * fd_exp_tail(-difference);
    int near = difference * difference <= 1.0;
    double relative = near ? x * e : x * (difference - 1.0) + y;
    fd_bin b;
    b.mass = x;
    b.x = x + FD_TINY;
    b.y = y + FD_TINY;
    b.d = near ? x * (difference - e) : x - y;
    b.gone = (p > -INFINITY) & (q == -INFINITY);
    double log = FD_LOG2_E * difference; /* no mass is none for being small (fmin would be a call) */
    log = log > -DBL_MAX ? log : -DBL_MAX;
    log = log < DBL_MAX ? log : DBL_MAX;
    b.come = (q > -INFINITY) & (p == -INFINITY);
    log = b.come ? -INFINITY : log;
    log = b.gone ? INFINITY : log;
    b.log = (p == q) & (q == -INFINITY) ? 0.0 : log;
    relative = FD_LOG2_E * (x > 0.0 ? relative : y);
    b.relative = b.gone ? INFINITY : relative;
    return b;
}

/* Two masses too far apart for the loops, by their log2: x and y themselves may be 0 or inf as doubles. */
typedef struct {
    double log_x, log_y, x, y;
} fd_far_bin;

/* Makes of a term what the loops call, from masses and from logarithms. */
#define FD_OF_BINS(name)                                                                                     \
    FD_INLINE double fd_##name##_of_masses(double p, double q, const fd_pair *pair) {                        \
        return fd_term_##name(fd_bin_of_masses(p, q, pair), pair);                                           \
    }                                                                                                        \
    FD_INLINE double fd_##name##_of_logs(double p, double q, const fd_pair *pair) {                          \
        return fd_term_##name(fd_bin_of_logs(p, q, pair), pair);                                             \
    }

/* The sum of x - y: 0 for rows of one mass, so what is left over mends the scale between them (rows.c). */
FD_INLINE double fd_term_imbalance(fd_bin b, const fd_pair *pair) { return b.d; }
FD_INLINE double fd_apart_imbalance(fd_far_bin b, const fd_pair *pair) { return b.x - b.y; }
FD_OF_BINS(imbalance)

/* Kullback-Leibler: sum x log(x/y) = sum [x log(x/y) - x + y] for rows of one mass. */
FD_INLINE double fd_term_kl_divergence(fd_bin b, const fd_pair *pair) { return b.relative; }
FD_INLINE double fd_apart_kl_divergence(fd_far_bin b, const fd_pair *pair) {
    return b.x * (b.log_x - b.log_y) - FD_LOG2_E * (b.x - b.y);
}
FD_OF_BINS(kl_divergence)

/* x log(x/y) as it is, for rows that are not normalised, and its size. */
FD_INLINE double fd_term_log_excess(fd_bin b, const fd_pair *pair) {
    double term = b.mass * b.log;
    return b.mass > 0.0 ? term : 0.0;
}
FD_INLINE double fd_apart_log_excess(fd_far_bin b, const fd_pair *pair) { return b.x * (b.log_x - b.log_y); }
FD_OF_BINS(log_excess)

FD_INLINE double fd_term_log_excess_size(fd_bin b, const fd_pair *pair) {
    return fabs(fd_term_log_excess(b, pair));
}
FD_INLINE double fd_apart_log_excess_size(fd_far_bin b, const fd_pair *pair) {
    return b.x * fabs(b.log_x - b.log_y);
}
FD_OF_BINS(log_excess_size)

/* Jeffreys, KL(p,q) + KL(q,p): the sum of (x - y) log(x/y). */
FD_INLINE double fd_term_jeffreys_divergence(fd_bin b, const fd_pair *pair) {
    double term = b.d * b.log;
    return fabs(b.log) < INFINITY ? term : INFINITY;
}
FD_INLINE double fd_apart_jeffreys_divergence(fd_far_bin b, const fd_pair *pair) {
    return (b.x - b.y) * (b.log_x - b.log_y);
}
FD_OF_BINS(jeffreys_divergence)

/* log2 of a mixture weight; the logarithm of one near 1 is that of what the others leave. */
static inline double fd_log2_weight(double weight, double others) {
    return weight > 0.5 ? log1p(-others) * FD_LOG2_E : log2(weight);
}

/* -w log2 w */
static inline double fd_weight_bits(double weight, double others) {
    return weight > 0.0 ? weight * -fd_log2_weight(weight, others) : 0.0;
}

/* The entropy of mixture weights, bits: what rows with nothing in common come to. */
static inline double fd_weight_entropy(const double *weights, ptrdiff_t m) {
    double bits = 0.0, small = 0.0; /* the sum of all weights but one above 1/2 */
    for (ptrdiff_t i = 0; i < m; i++)
        small += weights[i] > 0.5 ? 0.0 : weights[i];
    for (ptrdiff_t i = 0; i < m; i++)
        bits += fd_weight_bits(weights[i], small);
    return bits;
}

/* Jensen-Shannon with mixture m = w_p x + w_q y: w_p KL(x, m) + w_q KL(y, m), where x - m = w_q (x - y) and
 * y - m = -w_p (x - y) are known as well as x - y is. Symmetric bit for bit with equal weights. */
FD_INLINE double fd_term_js_divergence(fd_bin b, const fd_pair *pair) {
    double m = pair->w_p * b.x + pair->w_q * b.y;
    return pair->w_p * fd_relative_entropy(b.x, m, pair->w_q * b.d) +
           pair->w_q * fd_relative_entropy(b.y, m, -pair->w_p * b.d);
}
FD_INLINE double fd_apart_js_divergence(fd_far_bin b, const fd_pair *pair) {
    return b.x > b.y ? b.x * fd_weight_bits(pair->w_p, pair->w_q)
                     : b.y * fd_weight_bits(pair->w_q, pair->w_p);
}
FD_OF_BINS(js_divergence)

/* Total variation, twice. */
FD_INLINE double fd_term_total_variation(fd_bin b, const fd_pair *pair) { return fabs(b.d); }
FD_INLINE double fd_apart_total_variation(fd_far_bin b, const fd_pair *pair) { return b.x > b.y ? b.x : b.y; }
FD_OF_BINS(total_variation)

/* The excess of x over y where there is one, and the mass x it comes from: two ways to halve total variation,
 * of which the one with less mass rounds less (rows.c). */
FD_INLINE double fd_term_gain(fd_bin b, const fd_pair *pair) { return b.d > 0.0 ? b.d : 0.0; }
FD_INLINE double fd_apart_gain(fd_far_bin b, const fd_pair *pair) { return b.x > b.y ? b.x : 0.0; }
FD_OF_BINS(gain)
FD_INLINE double fd_term_gain_mass(fd_bin b, const fd_pair *pair) { return b.d > 0.0 ? b.x : 0.0; }
FD_INLINE double fd_apart_gain_mass(fd_far_bin b, const fd_pair *pair) { return b.x > b.y ? b.x : 0.0; }
FD_OF_BINS(gain_mass)

/* Squared Hellinger, twice: (sqrt x - sqrt y)^2 = d^2 / (sqrt x + sqrt y)^2. */
FD_INLINE double fd_term_hellinger_distance(fd_bin b, const fd_pair *pair) {
    double roots = b.x + b.y + 2.0 * sqrt(b.x * b.y);
    return b.d * (b.d / roots);
}
FD_INLINE double fd_apart_hellinger_distance(fd_far_bin b, const fd_pair *pair) {
    return b.x > b.y ? b.x : b.y;
}
FD_OF_BINS(hellinger_distance)

/* Triangular discrimination, (x - y)^2 / (x + y). */
FD_INLINE double fd_term_triangular_discrimination(fd_bin b, const fd_pair *pair) {
    return b.d * (b.d / (b.x + b.y));
}
FD_INLINE double fd_apart_triangular_discrimination(fd_far_bin b, const fd_pair *pair) {
    return b.x > b.y ? b.x : b.y;
}
FD_OF_BINS(triangular_discrimination)

/* Pearson's chi-square, (x - y)^2 / y. */
FD_INLINE double fd_term_chi_square(fd_bin b, const fd_pair *pair) {
    double term = b.d * (b.d / b.y);
    return b.gone ? INFINITY : term;
}
FD_INLINE double fd_apart_chi_square(fd_far_bin b, const fd_pair *pair) {
    return b.x > b.y ? exp2(2.0 * b.log_x - b.log_y) : b.y;
}

FD_INLINE double fd_chi_square_of_masses(double p, double q, const fd_pair *pair) {
    return fd_term_chi_square(fd_bin_of_masses(p, q, pair), pair);
}

/* The same from logarithms, where y may be no double: with D = log x - log y it is x exp(D) (1 - exp(-D))^2.
 */
FD_INLINE double fd_chi_square_of_logs(double p, double q, const fd_pair *pair) {
    fd_bin b = fd_bin_of_logs(p, q, pair);
    double difference = b.log * FD_LN_2, log_x = (p - pair->max_p) - pair->log_p;
    double rest = 1.0 - fd_exp(-difference);
    double far = difference > 0.0 ? fd_exp(log_x + difference) * rest * rest : b.d * (b.d / b.y);
    double term = difference * difference <= 1.0 ? b.d * (b.d / b.y) : far;
    term = p > -INFINITY ? term : b.y - FD_TINY;
    return b.gone ? INFINITY : term;
}

/* Renyi of order alpha = 1 + order through A = (sum x^alpha y^(1-alpha) - 1)/(alpha - 1) >= 0, in nats:
 *     x^alpha y^(1-alpha) = x exp(order l),  l = ln(x/y), and so, with psi(v) = (exp(v) - 1 - v)/v,
 *     A = sum [x l - x + y] + x l psi(order l).
 * Each order >= -1/2 keeps all digits; rows.c turns the rest round by skew symmetry. */
FD_INLINE double fd_term_renyi_divergence(fd_bin b, const fd_pair *pair) {
    double x = b.mass, log = b.log * FD_LN_2;
    double v = pair->order * log;
    double psi = v * v <= 1.0 ? v * fd_exp_tail(v) : (fd_exp(v) - 1.0 - v) / v;
    double term = b.relative * FD_LN_2 + x * log * psi;
    double lost = pair->order < 0.0 ? x * (1.0 + pair->order) / -pair->order : INFINITY; /* l = inf */
    double least = pair->order < 0.0 ? -1000.0 : -INFINITY;
    double most =
        pair->order < 0.0 ? 700.0 : INFINITY; /* x/y < exp(-1400): nothing beside y, of x = 0 0 inf */
    term = v < least ? lost : term;           /* exp(v) = 0: x l cancels */
    term = v > most ? b.y - FD_TINY : term;
    term = b.log < INFINITY ? term : lost;
    return b.log > -INFINITY ? term : b.y - FD_TINY;
}
FD_INLINE double fd_apart_renyi_divergence(fd_far_bin b, const fd_pair *pair) {
    double v = pair->order * (b.log_x - b.log_y) / FD_LOG2_E;
    return pair->order < 0.0 && v > 700.0 ? b.y : b.x * (expm1(v) / pair->order - 1.0) + b.y;
}
FD_OF_BINS(renyi_divergence)

/* sum x^alpha y^(1-alpha) itself, for rows with little in common, where 1 + order A would cancel. */
FD_INLINE double fd_term_renyi_overlap(fd_bin b, const fd_pair *pair) {
    double term = b.mass * fd_exp(pair->order * (b.log * FD_LN_2));
    return b.log > -INFINITY ? term : 0.0;
}
FD_INLINE double fd_apart_renyi_overlap(fd_far_bin b, const fd_pair *pair) {
    return exp2(b.log_x + pair->order * (b.log_x - b.log_y));
}
FD_OF_BINS(renyi_overlap)

/* Renyi's order 0: the mass of q where p has none, and where it has some. */
FD_INLINE double fd_outside(double p, double q, const fd_pair *pair) { return p > 0.0 ? 0.0 : q; }
FD_INLINE double fd_inside(double p, double q, const fd_pair *pair) { return p > 0.0 ? q : 0.0; }

/* Entropy p log2(S/p) and cross entropy p log2(S/q), both >= 0. S, the sum of the row whose logarithm is
 * taken, is held to twice the working precision: that matters where one bin holds nearly all. */
FD_INLINE double fd_entropy_of_masses(double p, double q, const fd_pair *pair) {
    double term = p * fd_log2_ratio(pair->s_hi, p, (pair->s_hi - p) + pair->s_lo);
    return p > 0.0 ? term : 0.0;
}

FD_INLINE double fd_cross_entropy_of_masses(double p, double q, const fd_pair *pair) {
    double log = fd_log2_ratio(pair->s_hi, q, (pair->s_hi - q) + pair->s_lo);
    double term = q > 0.0 ? p * log : INFINITY;
    return p > 0.0 ? term : 0.0;
}

FD_INLINE double fd_entropy_of_logs(double p, double q, const fd_pair *pair) {
    double mass = fd_exp((p - pair->max_p) - pair->log_p);
    double bits = FD_LOG2_E * ((pair->max_q - p) + pair->log_q);
    return mass > 0.0 ? mass * bits : 0.0;
}

FD_INLINE double fd_cross_entropy_of_logs(double p, double q, const fd_pair *pair) {
    double mass = fd_exp((p - pair->max_p) - pair->log_p);
    double bits = FD_LOG2_E * ((pair->max_q - q) + pair->log_q);
    double term = mass > 0.0 ? mass * bits : 0.0;
    return (p > -INFINITY) & (q == -INFINITY) ? INFINITY : term;
}

/* They are not homogeneous, and wide.h has its own way with them. */
FD_INLINE double fd_apart_entropy(fd_far_bin b, const fd_pair *pair) { return NAN; }
FD_INLINE double fd_apart_cross_entropy(fd_far_bin b, const fd_pair *pair) { return NAN; }

/* -log2 p of one event, and the entropy of the two outcomes p and 1-p, bits; NaN outside [0, 1]. Here p may
 * be subnormal. The logarithm of 1-p needs no rounded difference: its distance from 1 is p. */
FD_INLINE double fd_surprisal(double p) {
    int tiny = p < 0x1p-900;
    double scaled = tiny ? p * 0x1p200 : p;
    double bits = fd_log2_ratio(1.0, scaled, 1.0 - scaled) + (tiny ? 200.0 : 0.0);
    bits = p > 0.0 ? bits : INFINITY;
    return p >= 0.0 && p <= 1.0 ? bits : NAN;
}

FD_INLINE double fd_binary_entropy(double p) {
    double rest = 1.0 - p, small = p < rest ? p : rest; /* 1-p is exact from 1/2 on */
    double large = 1.0 - small;
    double bits = small * fd_surprisal(small) + large * fd_log2_ratio(1.0, large, small);
    return small > 0.0 ? bits : (small == 0.0 ? 0.0 : NAN);
}

#undef FD_OF_BINS

#endif

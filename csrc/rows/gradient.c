/* Gradients of one pair of rows: the measure, then a loop that writes the slopes of every bin (slopes.h), then
 * the chain rule of what the rows are.
 *
 *     masses:                 (slope - mean slope) / sum of the row,  mean = sum x slope / sum x
 *     logarithms of masses:   x (slope - mean slope)
 *     not normalised:         the slope, or x slope
 *
 * so the gradient by a row is orthogonal to the row, and by its logarithms adds to 0.
 *
 * Error. A slope is a function of x - y and log(x/y), which are known to some 2u but for the scale between the
 * rows, which is good to delta, some u; near rows have it refined (rows.c), so delta stays below 1e-12 of the
 * root mean square of the slopes. Means add what all terms add up with. Together: at most 1e-12 times the
 * larger of the derivative itself and of the row's mean of |slope| (over its sum). Derivatives by masses that are
 * small beside that are looked at again (again.c), and good to 1e-12 of themselves.
 */
#include "rows/again.h"
#include "rows/apart.h"
#include "rows/far.h"
#include "rows/gradient.h"
#include "rows/pair.h"
#include "rows/renyi.h"
#include "rows/settle.h"
#include "rows/signs.h"
#include "rows/steep.h"
#include "rows/terms.h"
#include "rows/weighed.h"

/* The slopes of all bins; of logarithms, times their masses. */
static void fd_write_slopes(fd_slope_work *w) {
    const fd_slope_loop *loops = w->p->logs ? fd_slope_loops_now->of_logs : fd_slope_loops_now->of_masses;
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK], spare[FD_BLOCK]; /* entropy has no slopes by q */
    int is_wide = !w->p->logs && (w->p->wide || w->q->wide);
    for (ptrdiff_t start = 0; start < w->n; start += FD_BLOCK) {
        ptrdiff_t size = w->n - start < FD_BLOCK ? w->n - start : FD_BLOCK;
        const double *p = fd_block(w->p, start, size, p_copy);
        const double *q = w->p == w->q ? p : fd_block(w->q, start, size, q_copy);
        if (is_wide) {
            memmove(p_copy, p, (size_t)size * sizeof *p);
            memmove(q_copy, q, (size_t)size * sizeof *q);
            for (ptrdiff_t i = 0; i < size; i++)
                if (fd_is_odd(w->p, start + i, p_copy[i]) || fd_is_odd(w->q, start + i, q_copy[i]))
                    p_copy[i] = q_copy[i] = 0.0;
            p = p_copy;
            q = q_copy;
        }
        double *by_q = w->by_q ? w->by_q + start : spare;
        fd_slope_sums sums = loops[w->sum](p, q, size, &w->pair, w->by_p + start, by_q);
        if (!w->p->logs && !(fabs(sums.by_x) + fabs(sums.by_y) < INFINITY))
            sums = fd_sum_products(w, start, size, p, q);
        fd_add_products(w, sums.by_x, sums.by_y);
        fd_sum_add(&w->terms, sums.terms);
    }
    for (ptrdiff_t i = 0; is_wide && i < w->n; i++) {
        double x, y;
        if (fd_is_odd(w->p, i, *fd_block(w->p, i, 1, &x)) || fd_is_odd(w->q, i, *fd_block(w->q, i, 1, &y)))
            fd_odd_slopes(w, i);
    }
}

/* Rows of logarithms that are not normalised and span more than exp does: each bin on a scale of its own. */
static void fd_write_far_slopes(fd_slope_work *w, double unit) {
    for (ptrdiff_t i = 0; i < w->n; i++) {
        double a, b, p = *fd_block(w->p, i, 1, &a), q = *fd_block(w->q, i, 1, &b), top = fmax(p, q);
        fd_slopes s = {0.0, 0.0};
        if (top > -INFINITY) {
            w->pair.max_p = w->pair.max_q = top;
            fd_slope_loops_now->of_logs[w->sum](&p, &q, 1, &w->pair, &s.by_x, &s.by_y);
            s.by_x += exp(p - top) * fd_constant(w->sum);
        }
        w->by_p[i] = fd_times_exp(s.by_x * unit, top);
        w->by_q[i] = fd_times_exp(s.by_y * unit, top);
        /* x is none beside y, x log(x/y) may be all there is */
        if (w->sum == FD_kl_divergence && q - p > FD_FAR && p > -INFINITY) {
            w->by_p[i] = fd_times_exp(FD_LOG2_E * (p - q + 1.0) * unit, p);
            w->by_q[i] = fd_times_exp(-FD_LOG2_E * unit, p);
        }
        if (w->sum == FD_chi_square && p - q > FD_FAR && q > -INFINITY) { /* x/y is no double, x^2/y may be */
            w->by_p[i] = fd_times_exp(2.0 * unit, fma(2.0, p, -q));
            w->by_q[i] = fd_times_exp(-unit, fma(2.0, p, -q));
        }
    }
}

/* Cross entropy of rows as they stand, any doubles: by masses -log2 q and -p/q, by logarithms these times p
 * and q. */
static void fd_write_plain_entropy_slopes(fd_slope_work *w, double unit) {
    for (ptrdiff_t i = 0; i < w->n; i++) {
        double p = fd_given(w->p, i), q = fd_given(w->q, i), by_q;
        if (w->p->logs) {
            double by_p = w->sum == FD_entropy ? -1.0 - p : -q; /* exp(p) may be no double beside 0 */
            w->by_p[i] = p > -INFINITY ? fd_times_exp(FD_LOG2_E * by_p * unit, p) : 0.0;
            by_q = p > -INFINITY ? fd_times_exp(-FD_LOG2_E * unit, p) : 0.0;
        } else {
            w->by_p[i] = (w->sum == FD_entropy ? -log2(p) - FD_LOG2_E : -log2(q)) * unit;
            by_q = p > 0.0 ? -p / q * (FD_LOG2_E * unit) : 0.0;
        }
        if (w->by_q)
            w->by_q[i] = by_q;
    }
}

/* Renyi's orders 0 and infinity, bits, of normalised or plain rows; `value` is the measure. The first bin
 * with the largest ratio is the one whose subgradient it is. */
static void fd_write_limit_slopes(fd_slope_work *w, int is_max, double value) {
    ptrdiff_t at = is_max ? fd_largest_ratio(w->p, w->q, w->n) : -1;
    for (ptrdiff_t i = 0; i < w->n; i++) {
        double x, y, a = *fd_block(w->p, i, 1, &x), b = *fd_block(w->q, i, 1, &y);
        double by_x = 0.0, by_y = is_max || !fd_has_mass(w->p, i) ? 0.0 : -exp2(value);
        if (!w->p->logs && !fd_has_mass(w->p, i) && !fd_has_mass(w->q, i))
            by_x = w->pair.none_x;
        if (w->p->logs) { /* times the masses, which may be none as doubles */
            double log_q = fd_log2_probability(w->q, i), one = is_max && i == at ? FD_LOG2_E : 0.0;
            w->by_p[i] = one;
            w->by_q[i] = is_max || by_y == 0.0 ? -one : -FD_LOG2_E * exp2(value + log_q);
            fd_add_products(w, w->by_p[i], w->by_q[i]);
            continue;
        }
        if (is_max && i == at) { /* 1/x and -1/y, times the sums that masses are shares of */
            by_x = w->p->normalize ? w->p->sum / a : 1.0 / fd_given(w->p, i);
            by_y = w->q->normalize ? -(w->q->sum / b) : -1.0 / fd_given(w->q, i);
        }
        w->by_p[i] = FD_LOG2_E * by_x;
        w->by_q[i] = FD_LOG2_E * by_y;
        fd_add_products(w, fd_product(w, w->p, i, a, 0, w->by_p[i]),
                        fd_product(w, w->q, i, b, 0, w->by_q[i]));
    }
}

/* Whether a bin of logarithms that is no double in one row has a part of Renyi's sum, or of that of chi-square, which is
 * its sum of order 2; the sum is not near 1. */
static int fd_has_hidden_part(const fd_slope_work *w) {
    double sum;
    if (w->sum != FD_renyi_divergence && !(w->sum == FD_chi_square && w->p->normalize))
        return 0;
    if (!w->p->logs || fabs(w->pair.order * w->pair.divergence) < 0x1p-4 || !fd_is_far(w->p, w->q, w->n))
        return 0;
    const ptrdiff_t m = fd_largest_overlap(w->p, w->q, w->n, &w->pair, &sum);
    for (ptrdiff_t i = 0; m >= 0 && i < w->n; i++)
        if (fmin(fd_log2_probability(w->p, i), fd_log2_probability(w->q, i)) < -1000.0 &&
            fd_has_overlap(w->p, w->q, i, &w->pair) &&
            fd_log2_overlap_over(w->p, w->q, i, m, &w->pair) > -60.0)
            return 1;
    return 0;
}

/* Slopes of such rows: the bins' parts of the sum times alpha/order and -1, in bits; of chi-square times the sum. */
static void fd_write_overlap_slopes(fd_slope_work *w, const fd_options *o, double value) {
    int is_chi_square = w->sum == FD_chi_square;
    double sum, alpha = is_chi_square ? 2.0 : o->alpha, factor = is_chi_square ? 1.0 + value : FD_LOG2_E;
    const ptrdiff_t m = fd_largest_overlap(w->p, w->q, w->n, &w->pair, &sum);
    for (ptrdiff_t i = 0; i < w->n; i++) {
        double part = 0.0;
        if (fd_has_overlap(w->p, w->q, i, &w->pair))
            part = exp2(fd_log2_overlap_over(w->p, w->q, i, m, &w->pair)) / sum;
        w->by_p[i] = factor * (alpha / w->pair.order) * part;
        w->by_q[i] = -factor * part;
        fd_add_products(w, w->by_p[i], w->by_q[i]);
    }
}

/* Total variation of masses that are shares: the signs that the loop left undecided. */
static void fd_decide_signs(fd_slope_work *w) {
    fd_whole p_sum, q_sum;
    int is_summed = 0;
    for (ptrdiff_t i = 0; i < w->n; i++) {
        double x, y, p = fd_given(w->p, i), q = fd_given(w->q, i);
        if (w->by_p[i] != 0.0)
            continue;
        if (!is_summed) {
            p_sum = fd_whole_sum(w->p, w->n);
            q_sum = fd_whole_sum(w->q, w->n);
            is_summed = 1;
        }
        double sign = fd_sign_of_difference(p, q, &p_sum, &q_sum);
        w->by_p[i] = sign;
        w->by_q[i] = -sign;
        fd_add_products(w, sign * *fd_block(w->p, i, 1, &x), -sign * *fd_block(w->q, i, 1, &y));
    }
}

/* At equal rows: the least value, from where only bins without mass lead up. */
static void fd_write_level_slopes(fd_slope_work *w) {
    for (ptrdiff_t i = 0; i < w->n; i++) {
        int is_none = !w->p->logs && !fd_has_mass(w->p, i);
        w->by_p[i] = is_none ? w->pair.none_x : 0.0;
        w->by_q[i] = is_none ? w->pair.none_y : 0.0;
    }
}

/* Gradients of raw rows of cross entropy that cannot be multiplied, of raw logarithms far apart: without the
 * loops. Whether that was it. */
static int fd_write_odd_rows(fd_slope_work *w, double unit) {
    int is_entropy = fd_is_entropy(w->sum);
    if (w->p->normalize)
        return 0;
    if (is_entropy && (w->p->logs || !w->is_ordinary))
        fd_write_plain_entropy_slopes(w, unit);
    else if (w->p->logs && w->sum != FD_renyi_divergence && fd_is_far(w->p, w->q, w->n))
        fd_write_far_slopes(w, unit);
    else
        return 0;
    return 1;
}

/* What the loops need to know of the rows; D in bits. */
static void fd_set_slope_pair(fd_slope_work *w, const fd_options *o, double bits) {
    fd_pair *pair = &w->pair;
    const fd_row_reader *p = w->p, *q = w->q;
    fd_set_pair(pair, p, q, o->w_p, o->w_q);
    pair->order = w->sum == FD_chi_square ? 1.0 : o->alpha - 1.0;
    pair->is_raw = !p->normalize;
    pair->undecided = p->normalize && !p->logs ? FD_UNDECIDED : 0.0;
    fd_slopes none = fd_none_slopes(w->sum, pair);
    pair->none_x = none.by_x;
    pair->none_y = none.by_y;
    if (w->sum == FD_renyi_divergence && (o->alpha == 0.0 || o->alpha == INFINITY)) {
        pair->none_x = o->alpha;
        pair->none_y = pair->is_raw ? 0.0 : FD_LOG2_E;
    }
    pair->divergence = bits * FD_LN_2;
    if (p->logs && p->normalize) {
        pair->pivot = q->log - bits * FD_LN_2;
    } else if (p->normalize) {
        pair->c_lo = (fma(-pair->c_hi, q->sum, p->sum) + (p->sum_lo - pair->c_hi * q->sum_lo)) / q->sum;
        pair->pivot = fd_pivot(q->sum, bits);
    } else if (p->logs) {
        double top =
            w->sum == FD_renyi_divergence ? 0.0 : fmax(p->top, q->top); /* of shares of S: no scale */
        pair->max_p = pair->max_q = top > -INFINITY ? top : 0.0;
    } else {
        pair->pivot = 1.0;
    }
}

/* Slopes of chi-square have the means 2D and -D, of which the first may be no double: of D above FD_VAST all are taken
 * in units of 1/FD_DOWN. */
static const double FD_DOWN = 0x1p-64;

static fd_again_side fd_again_of(const fd_row_reader *r, double mean, double constant, double factor,
                                 double *slopes) {
    fd_again_side side = {.row = r, .slopes = slopes, .least = INFINITY};
    double scale[3];
    fd_mean_and_scale(r, mean, constant, factor, &side.mean, scale);
    side.unit = scale[0] * scale[1] * scale[2];
    return side;
}

static void fd_scale_slopes(const fd_slope_work *w, double factor) {
    fd_slope_loops_now->scale(w->by_p, w->n, factor);
    fd_slope_loops_now->scale(w->by_q, w->n, factor);
}

/* From slopes to derivatives; `unit` is what all of them are multiplied by. */
static void fd_settle_gradient(fd_slope_work *w, const fd_options *o, double value, double bits,
                               double constant, double unit, int is_sure) {
    const fd_row_reader *p = w->p, *q = w->q;
    double by_x = fd_sum_total(w->x) / p->sum, by_y = fd_sum_total(w->y) / q->sum;
    int is_vast = w->sum == FD_chi_square && p->normalize && value > FD_VAST;
    if (is_vast) {
        fd_scale_slopes(w, FD_DOWN);
        by_x = 2.0 * (value * FD_DOWN);
        by_y = -(value * FD_DOWN);
    }
    is_sure |= is_vast || w->is_steep || p->wide || q->wide; /* of such no slope is taken again */
    double size = is_sure || !p->normalize ? 0.0 : fd_slopes_size(w->sum, o->alpha, bits);
    fd_again again = {w->sum,
                      w->n,
                      &w->pair,
                      o->alpha,
                      size,
                      fd_again_of(p, by_x, constant, unit, w->by_p),
                      fd_again_of(q, by_y, 0.0, unit, w->by_q)};
    again.p.least = fd_settle(p, w->n, by_x, constant, unit, w->pair.max_p, w->by_p, &again.p.rest);
    if (w->sum != FD_entropy)
        again.q.least = fd_settle(q, w->n, by_y, 0.0, unit, w->pair.max_q, w->by_q, &again.q.rest);
    if (!is_sure)
        fd_look_again(&again);
    if (is_vast)
        fd_scale_slopes(w, 1.0 / FD_DOWN);
    if (w->is_steep) {
        fd_settle_steep(w, p, is_vast ? by_x : by_x * FD_DOWN, unit, w->by_p);
        fd_settle_steep(w, q, is_vast ? by_y : by_y * FD_DOWN, unit, w->by_q);
    }
}

static void fd_write_gradient(fd_slope_work *w, fd_measure measure, const fd_options *o, double value,
                              double bits, double unit) {
    const fd_row_reader *p = w->p, *q = w->q;
    double constant = 0.0, first_order = fd_first_order(measure, value);
    fd_set_slope_pair(w, o, bits / fd_measures[measure].times);
    if (fd_write_odd_rows(w, unit))
        return;
    if (p->normalize && w->sum != FD_entropy && (measure == FD_cross_entropy || fd_is_near(first_order)))
        fd_refine_scale(&w->pair, p, q, w->n);
    else if (!p->logs && !fd_feels_scale(w->sum))
        w->pair.c_lo = 0.0;
    int is_variation = measure == FD_total_variation;
    int is_level = value == 0.0 && p->normalize && measure != FD_cross_entropy &&
                   (!is_variation || (!p->logs && fd_proportional(p, q, w->n)));
    int is_limit = w->sum == FD_renyi_divergence && (o->alpha == 0.0 || o->alpha == INFINITY);
    int is_apart = !is_limit && fd_has_hidden_part(w);
    if (is_level) {
        fd_write_level_slopes(w);
    } else if (is_limit) {
        fd_write_limit_slopes(w, o->alpha == INFINITY, bits);
    } else if (is_apart) {
        fd_write_overlap_slopes(w, o, value);
    } else {
        fd_write_slopes(w);
        constant = fd_constant(w->sum);
        if (w->pair.undecided > 0.0 && is_variation)
            fd_decide_signs(w);
    }
    if (w->sum == FD_renyi_divergence && p->logs && !p->normalize) { /* neither mean nor scale */
        fd_scale_slopes(w, unit);
        return;
    }
    fd_settle_gradient(w, o, value, bits / fd_measures[measure].times, constant, unit,
                       is_level || is_limit || is_apart);
}

/* Value and gradient of ordinary rows in one pass, in the order of the value's rows (fd_in_order). Whether that was it:
 * not of rows that are near, whose scale has to be known first. */
static int fd_write_at_once(const fd_slope_work *given, fd_measure measure, const fd_options *o,
                            const fd_options *in_bits, double *value) {
    const fd_traits *traits = &fd_measures[measure];
    fd_slope_work w = *given;
    if (traits->symmetric && !fd_in_order(w.p, w.q, w.n)) {
        w.p = given->q;
        w.q = given->p;
        w.by_p = given->by_q;
        w.by_q = given->by_p;
    }
    fd_set_pair(&w.pair, w.p, w.q, o->w_p, o->w_q);
    fd_slopes none = fd_none_slopes(w.sum, &w.pair);
    w.pair.none_x = none.by_x;
    w.pair.none_y = none.by_y;
    fd_write_slopes(&w);
    double d = fd_sum_total(w.terms) / w.p->sum;
    if (!(d >= traits->again && d < INFINITY) || w.is_steep)
        return 0;
    double bits = fd_value_of_sum(measure, d, w.p, w.q, w.n, &w.pair, in_bits);
    fd_from_bits_up(measure, o, &bits, value);
    if (!(*value < FD_VAST) || fd_is_near(fd_first_order(measure, *value)))
        return 0;
    fd_settle_gradient(&w, o, *value, bits / traits->times, 0.0, fd_unit_of(measure, o, *value), 0);
    return 1;
}

static double fd_gradient_of_views(fd_measure measure, fd_view p_view, fd_view q_view, ptrdiff_t n,
                                   const fd_options *options, double *by_p, double *by_q) {
    const fd_traits *traits = &fd_measures[measure];
    fd_options o = *options, in_bits = fd_options_in_bits(measure, options);
    int is_entropy = !by_q;
    fd_row_reader p = fd_reader(p_view, &o), second = fd_reader(q_view, &o), *q = is_entropy ? &p : &second;
    double bits = NAN, value;
    fd_slope_work w = {.sum = is_entropy ? FD_entropy : traits->sum, .p = &p, .q = q, .n = n};
    w.by_p = by_p;
    w.by_q = by_q;
    if (fd_weigh_any(&p, n) && (is_entropy || fd_weigh_any(q, n))) {
        w.is_ordinary = p.logs || (fd_is_ordinary(&p) && fd_is_ordinary(q));
        if (w.is_ordinary && !p.wide && !q->wide && fd_is_at_once(measure, &o) &&
            fd_write_at_once(&w, measure, &o, &in_bits, &value))
            return value;
        bits = fd_weighed_row(measure, &p, q, n, &in_bits);
    }
    fd_from_bits_up(measure, &o, &bits, &value);
    if (!(fabs(value) < INFINITY) || (traits->root && value == 0.0)) { /* none, or the kink of a root */
        fd_fill(by_p, n, value == 0.0 ? 0.0 : NAN);
        fd_fill(by_q, n, value == 0.0 ? 0.0 : NAN);
        return value;
    }
    if (measure == FD_bhattacharyya_distance)
        o.alpha = 0.5;
    if (w.sum == FD_renyi_divergence && o.alpha == 1.0)
        w.sum = FD_kl_divergence;
    fd_write_gradient(&w, measure, &o, value, bits, fd_unit_of(measure, &o, value));
    return value;
}

double fd_gradient(fd_measure measure, fd_view p, fd_view q, ptrdiff_t n, const fd_options *options,
                   double *by_p, double *by_q) {
    double p_copy[FD_COPY], q_copy[FD_COPY];
    if (fd_is_copied(p, q, n)) {
        p = fd_plain_view(p, n, p_copy);
        q = by_q ? fd_plain_view(q, n, q_copy) : p;
    }
    return fd_gradient_of_views(measure, p, q, n, options, by_p, by_q);
}

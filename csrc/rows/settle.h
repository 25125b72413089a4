/* The chain rule: from the slopes of a row to the derivatives by its entries (gradient.c says which). */
#ifndef FD_SETTLE_H
#define FD_SETTLE_H

#include "rows/slope_table.h"
#include "rows/terms.h"
#include "rows/weigh.h"

/* The measure as something that grows with the differences between the rows, not with their squares. */
static inline double fd_first_order(fd_measure measure, double value) {
    return fd_measures[measure].root || measure == FD_total_variation ? value : sqrt(value);
}

/* Below this, in units of the first order, the scale between the rows matters to slopes: it is good to some
 * u, and they are as small as this. */
static inline int fd_is_near(double first_order) { return first_order < 0x1p-7; }

/* Above this twice a measure may be no double. */
static const double FD_VAST = 0x1p1000;

/* The mass that is 2^-bits of its row, one that loops can take: of entropies beyond 800 bits another, whose slope is
 * not 0 but small beside them. */
static inline double fd_pivot(double sum, double bits) { return sum * exp2(-fmin(bits, 800.0)); }

/* Measures whose terms are added up as their slopes are written: what both are made of is computed once. Of the others
 * the sum is no measure yet, or its scale is looked at again before there are slopes (total variation). */
static inline int fd_is_at_once(fd_measure measure, const fd_options *o) {
    fd_measure sum = fd_measures[measure].sum;
#define FD_IS(name) || sum == FD_##name
    int is_one = 0 FD_AT_ONCE(FD_IS);
#undef FD_IS
    return is_one && o->normalize != 0.0 && o->log_input == 0.0 && o->w_p == o->w_q;
}

/* A value in nats may be more in bits than a double: it is taken in fours. */
static inline int fd_has_unit(fd_measure measure) {
    return fd_measures[measure].in_bits && !fd_measures[measure].root;
}
static inline fd_options fd_options_in_bits(fd_measure measure, const fd_options *o) {
    fd_options in_bits = *o;
    if (fd_has_unit(measure)) {
        in_bits.unit_hi = 0.25;
        in_bits.unit_lo = 0.0;
    }
    return in_bits;
}
static inline void fd_from_bits_up(fd_measure measure, const fd_options *o, double *bits, double *value) {
    *value = fd_has_unit(measure) ? 4.0 * fd_in_unit(*bits, o) : *bits;
    *bits = fd_has_unit(measure) ? 4.0 * *bits : *bits;
}

/* What all derivatives are multiplied by, where slopes are in bits. */
static inline double fd_unit_of(fd_measure measure, const fd_options *o, double value) {
    const fd_traits *traits = &fd_measures[measure];
    double unit = traits->in_bits ? fd_in_unit(1.0, o) : 1.0;
    return traits->times * (traits->root ? 0.5 * unit / value : unit);
}

static inline void fd_fill(double *out, ptrdiff_t n, double value) {
    for (ptrdiff_t i = 0; out && i < n; i++)
        out[i] = value;
}

/* What slopes of masses are to have taken off, and be multiplied by: three, as their product may be no double. */
static inline void fd_mean_and_scale(const fd_row_reader *r, double mean, double constant, double factor,
                                     double *taken, double *scale) {
    *taken = r->normalize ? mean : -constant;
    scale[0] = factor;
    scale[1] = scale[2] = 1.0;
    if (!r->logs && r->normalize) {
        scale[0] /= r->sum;
        scale[1] = r->scale[0];
        scale[2] = r->scale[1];
    }
}

/* Of longer rows some derivative is always small (again.c), and what the mean lacks is always asked for. */
enum { FD_LONG = 4096 };

/* `mean`: of the slopes of a row that is normalised; one that is not has `constant` added instead, and its
 * logarithms are to be multiplied by exp(max). The least size of a slope of masses less its mean, and of long rows the mean
 * of what is left, where it is asked for. */
static inline double fd_settle(const fd_row_reader *r, ptrdiff_t n, double mean, double constant,
                               double factor, double max, double *slopes, double *rest) {
    double copy[FD_BLOCK], scale[3], least = INFINITY;
    fd_twofold sum = {0.0, 0.0};
    fd_mean_and_scale(r, mean, constant, factor, &mean, scale);
    if (!r->logs && !(rest && r->normalize && n > FD_LONG))
        return fd_slope_loops_now->settle(slopes, n, mean, scale);
    if (!r->logs) {
        for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
            ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
            const double *x = fd_block(r, start, size, copy);
            least = fmin(least, fd_slope_loops_now->settle_long(slopes + start, x, size, mean, scale, &sum));
        }
        *rest = sum.high / r->sum;
        return least;
    }
    if (!r->normalize) { /* exp(max) may be no double, nor its root */
        scale[1] = scale[2] = exp(0.25 * max);
        scale[0] = scale[0] * scale[1] * scale[1];
    }
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *logs = fd_block(r, start, size, copy);
        fd_slope_loops_now->settle_logs(slopes + start, logs, size, max, r->log, mean, scale);
    }
    return INFINITY;
}

#endif

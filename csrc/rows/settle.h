/* The chain rule: from the slopes of a row to the derivatives by its entries (gradient.c says which). */
#ifndef FD_SETTLE_H
#define FD_SETTLE_H

#include "rows/weigh.h"
#include "rows/slope_table.h"

/* Below this, in units of the first order, the scale between the rows matters to slopes: it is good to some
 * u, and they are as small as this. */
static inline int fd_is_near(double first_order) { return first_order < 0x1p-7; }

static inline void fd_fill(double *out, ptrdiff_t n, double value) {
    for (ptrdiff_t i = 0; out && i < n; i++)
        out[i] = value;
}

/* `mean`: of the slopes of a row that is normalised; one that is not has `constant` added instead, and its
 * logarithms are to be multiplied by exp(max). */
static inline void fd_settle(const fd_row_reader *r, ptrdiff_t n, double mean, double constant, double factor,
                             double max, double *slopes) {
    double copy[FD_BLOCK], scale[3] = {factor, 1.0, 1.0}; /* three, as their product may be no double */
    mean = r->normalize ? mean : -constant;
    if (!r->logs) {
        if (r->normalize) {
            scale[0] /= r->sum;
            scale[1] = r->scale[0];
            scale[2] = r->scale[1];
        }
        fd_slope_loops_now->settle(slopes, n, mean, scale);
        return;
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
}

#endif

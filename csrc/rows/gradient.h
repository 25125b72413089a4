/* Gradients of one measure of one pair of rows: what Cython sees. */
#ifndef FD_GRADIENT_H
#define FD_GRADIENT_H

#include "rows/rows.h"

/* The measure, as fd_row gives it, and its derivatives by all n entries of p and of q (of p alone where by_q
 * is NULL: entropy, as cross entropy of p and p). Where the measure is inf or NaN the derivatives are NaN; a
 * derivative that is infinite is inf. */
double fd_gradient(fd_measure measure, fd_view p, fd_view q, ptrdiff_t n, const fd_options *options,
                   double *by_p, double *by_q);

/* FD_ROWS pairs of rows or fewer, `step` bytes apart, their derivatives `pitch` numbers: the same bits as one by one.
 * What has lanes may be computed side by side (gradient_lanes.c). */
int fd_has_slope_lanes(fd_measure measure, ptrdiff_t n, const fd_options *options);
void fd_gradients(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
                  ptrdiff_t n, const fd_options *options, double *values, double *by_p, ptrdiff_t p_pitch,
                  double *by_q, ptrdiff_t q_pitch);

/* Jensen-Shannon of a stack (fd_js_stack): by_rows has room for m n derivatives. */
double fd_js_stack_gradient(fd_measure measure, fd_view first, ptrdiff_t step, ptrdiff_t m,
                            const double *weights, ptrdiff_t n, const fd_options *options, double *by_rows);

#endif

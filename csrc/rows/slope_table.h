/* The table of the loops that write gradients (slope_loops.h). */
#ifndef FD_SLOPE_TABLE_H
#define FD_SLOPE_TABLE_H

#include "rows/table.h"

/* By the masses of a bin. */
typedef struct {
    double by_x, by_y;
} fd_slopes;

typedef fd_slopes (*fd_slope_loop)(const double *p, const double *q, ptrdiff_t n, const fd_pair *pair,
                                   double *by_p, double *by_q);

typedef double (*fd_stack_slope_loop)(const double *p, const double *q, const double *mixture, ptrdiff_t n,
                                      const fd_pair *pair, double *by_q);

typedef struct fd_slope_loops {
    fd_slope_loop of_masses[FD_N_SUMS], of_logs[FD_N_SUMS]; /* of FD_SUMMED and entropy */
    fd_stack_slope_loop of_stack, of_log_stack;
    void (*settle)(double *slopes, ptrdiff_t n, double mean, const double *scale);
    void (*settle_logs)(double *slopes, const double *logs, ptrdiff_t n, double max, double rest, double mean,
                        const double *scale);
    double (*logits)(const double *p, const double *q, ptrdiff_t n, double max, double rest,
                     double *surprisals);
    void (*excess)(double *shares, const double *masses, ptrdiff_t n, double sum, double unit);
} fd_slope_loops;

#define fd_slope_loops_now (fd_here->kernels->slopes)

#endif

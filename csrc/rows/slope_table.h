/* The table of the loops that write gradients (slope_loops.h). */
#ifndef FD_SLOPE_TABLE_H
#define FD_SLOPE_TABLE_H

#include "math/twofold.h"
#include "rows/table.h"

/* By the masses of a bin. */
typedef struct {
    double by_x, by_y;
} fd_slopes;

/* Of some bins: x by_x, y by_y, and of masses the measure's terms (fd_is_at_once). */
typedef struct {
    double by_x, by_y, terms;
} fd_slope_sums;

typedef fd_slope_sums (*fd_slope_loop)(const double *p, const double *q, ptrdiff_t n, const fd_pair *pair,
                                       double *by_p, double *by_q);

typedef double (*fd_stack_slope_loop)(const double *p, const double *q, const double *mixture, ptrdiff_t n,
                                      const fd_pair *pair, double *by_q);

/* Of masses of rows side by side (lane_loops.h); by_p and by_q may be p and q. */
typedef void (*fd_lane_slope_loop)(const double *p, const double *q, ptrdiff_t n, const fd_pairs *pairs,
                                   double *by_p, double *by_q, double *x_sums, double *y_sums, double *terms);

typedef void (*fd_log_lane_slope_loop)(const double *p, const double *q, ptrdiff_t n, const fd_pairs *pairs,
                                       double *by_p, double *by_q, double *x_sums, double *y_sums);

/* What is asked for meanwhile, of each bin its share: the next rows, and where derivatives will be. */
typedef struct {
    const char *in, *out;
    ptrdiff_t in_step, out_step;
} fd_ahead;

/* Of rows of logits side by side: log sum exp = max + rest, and what exp(q - max) and masses are multiplied by. */
typedef struct {
    double max[FD_ROWS], rest[FD_ROWS], by_part[FD_ROWS], by_mass[FD_ROWS];
} fd_logit_lanes;

/* What slopes in two doubles (careful.h) need to know of a pair of rows. */
typedef struct {
    double c_hi, c_lo, c_rest; /* y = q c, to three doubles */
    double w_p, w_q;
    double order, order_lo; /* alpha - 1 of Renyi */
    double divergence, pivot;
} fd_careful_pair;

typedef struct {
    fd_twofold by_x, by_y;
} fd_careful_slopes;

/* Returns the sums of p by_x and q by_y, or, where `slopes` is not NULL, writes the slopes instead. */
typedef fd_careful_slopes (*fd_careful_loop)(const double *p, const double *q, ptrdiff_t n,
                                             const fd_careful_pair *pair, fd_careful_slopes *slopes);

typedef struct fd_slope_loops {
    fd_slope_loop of_masses[FD_N_SUMS], of_logs[FD_N_SUMS]; /* of FD_SUMMED and entropy */
    fd_lane_slope_loop of_lanes[FD_N_SUMS];                 /* likewise */
    fd_log_lane_slope_loop of_log_lanes[FD_N_SUMS];
    fd_stack_slope_loop of_stack, of_log_stack;
    fd_careful_loop careful[FD_N_SUMS]; /* likewise, of masses */
    fd_twofold (*excess)(const double *p, const double *q, ptrdiff_t n,
                         const fd_careful_pair *pair);                     /* x - y */
    fd_twofold (*products)(const double *x, const double *y, ptrdiff_t n); /* their sum */
    /* sums of x |g to_slope + mean|, and of the squares of that, and how many |g| are below `least` */
    void (*sizes)(const double *x, const double *g, ptrdiff_t n, double to_slope, double mean, double *total,
                  double *squares);
    ptrdiff_t (*below)(const double *g, ptrdiff_t n, double least);
    /* (slope - mean) scale of rows side by side, row i of `which` to out + i pitch; the least |slope - mean| of each.
     * Without a mean: as they are */
    void (*settle_lanes)(double *slopes, ptrdiff_t n, const double *mean, const double *scale, unsigned which,
                         double *out, ptrdiff_t pitch, double *least);
    double (*settle)(double *slopes, ptrdiff_t n, double mean, const double *scale); /* likewise */
    /* of a part of a long row, adding the sum of x (slope - mean) to `rest` */
    double (*settle_long)(double *slopes, const double *x, ptrdiff_t n, double mean, const double *scale,
                          fd_twofold *rest);
    void (*settle_logs)(double *slopes, const double *logs, ptrdiff_t n, double max, double rest, double mean,
                        const double *scale);
    void (*settle_log_lanes)(double *slopes, const double *logs, ptrdiff_t n, const fd_lane_stats *stats,
                             const double *mean, const double *scale, unsigned which, double *out,
                             ptrdiff_t pitch);
    void (*logit_parts)(const double *q, ptrdiff_t n, double max, double *parts, double *below,
                        double *at_max);
    void (*logit_lanes)(const double *x, ptrdiff_t pitch, ptrdiff_t n, fd_ahead ahead, double *parts,
                        double *max, double *below, double *at_max);
    void (*logit_lane_terms)(double *p, const double *q, ptrdiff_t pitch, ptrdiff_t n, fd_ahead ahead,
                             const fd_logit_lanes *of, double *parts, double *sums);
    double (*logit_sum)(const double *p, const double *q, ptrdiff_t n, double max);
    void (*logit_masses)(const double *q, ptrdiff_t n, double max, double rest, double mean,
                         const double *scale, double *by_p);
    void (*logit_shares)(const double *p, ptrdiff_t n, double sum, double total, double unit, double *parts);
    void (*scale)(double *x, ptrdiff_t n, double factor);
} fd_slope_loops;

#define fd_slope_loops_now (fd_here->kernels->slopes)

#endif

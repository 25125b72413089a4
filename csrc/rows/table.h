/* The table of the loops over bins (loops.h): one for each instruction set, and what their arguments are. */
#ifndef FD_ROWS_TABLE_H
#define FD_ROWS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "rows/list.h"

/* Bins are summed in 16 lanes on every instruction set, and in blocks: rows are cut at the same places
 * whatever their layout, the thread count or the caller's chunks, so the bits do not depend on them. */
enum { FD_LANES = 16, FD_BLOCK = 512 };

/* Rows that are computed side by side, one a lane (lanes.c); those of up to so many bins always are. */
enum { FD_ROWS = 16, FD_FEW = 128 };

/* What the terms of one pair of rows have in common. */
typedef struct {
    double c_hi, c_lo;   /* y = q*c puts both rows on the scale of p: c = sum(p)/sum(q) */
    double s_hi, s_lo;   /* sum(q), for cross entropy */
    double max_p, max_q; /* rows of logarithms: log sum exp p = max_p + log_p, and */
    double log_p, log_q;
    double shift, shift_lo; /* log sum exp p - log sum exp q */
    double w_p, w_q;        /* mixture weights of Jensen-Shannon, adding to 1 */
    double order;           /* alpha - 1 of Renyi */
    double divergence;      /* gradients (slopes.h): Renyi's divergence itself, nats; */
    double pivot;           /* the mass (of logarithms: less the maximum) that is exp(-entropy) of its row; */
    double none_x, none_y;  /* slopes of a bin without mass; */
    double undecided;       /* total variation leaves shares nearer than this, relative, to signs.h; */
    double is_raw;          /* 1: rows are not normalised, else 0 (a double: fd_excess) */
    uintptr_t p_ahead, q_ahead; /* bytes from a bin to what is asked for meanwhile: the next row */
} fd_pair;

/* Of rows side by side what differs between them. */
typedef struct {
    double c_hi[FD_ROWS], c_lo[FD_ROWS], s_hi[FD_ROWS], s_lo[FD_ROWS], w_p[FD_ROWS], w_q[FD_ROWS];
    double max_p[FD_ROWS], max_q[FD_ROWS], log_p[FD_ROWS], log_q[FD_ROWS]; /* rows of logarithms */
    double shift[FD_ROWS], shift_lo[FD_ROWS];
    double divergence[FD_ROWS], pivot[FD_ROWS]; /* gradients, as are */
    double none_x, none_y, undecided;           /* these, of all rows */
    double is_raw;
    double order;
    const char *p_ahead, *q_ahead;        /* a bin's share (FD_ROWS numbers) of the next rows, */
    ptrdiff_t p_ahead_step, q_ahead_step; /* from bin to bin, */
    const char *by_p_ahead, *by_q_ahead;  /* and of derivatives, side by side */
} fd_pairs;

/* Their sums, and 1 where a row has negative or tiny masses, else 0; of logarithms log sum exp = max + log. */
typedef struct {
    double sum[FD_ROWS], odd[FD_ROWS], max[FD_ROWS], log[FD_ROWS];
} fd_lane_stats;

/* What a block says of its masses; NaN and inf show in the sum. */
typedef struct {
    double sum_hi, sum_lo;
    int is_signed; /* there is a negative mass, or -0 */
    int is_tiny;   /* there is a mass between 0 and FD_MASS_MIN */
} fd_stats;

/* No product of a mass down to here and a row's sum leaves the range that log.h is made for. */
static const double FD_MASS_MIN = 0x1p-800;

typedef double (*fd_sum_loop)(const double *p, const double *q, ptrdiff_t n, const fd_pair *pair);

/* Of rows of floats, in single precision. */
typedef double (*fd_single_loop)(const float *p, const float *q, ptrdiff_t n, const fd_pair *pair);

typedef void (*fd_lane_loop)(const double *p, const double *q, ptrdiff_t n, const fd_pairs *pairs,
                             double *sums);

/* Row q of a stack with first row p (loops.h): to the mixture, then its sum; n is a multiple of FD_LANES. */
typedef struct {
    void (*mix)(const double *p, const double *q, double *mixture, ptrdiff_t n, const fd_pair *pair);
    double (*sum)(const double *p, const double *q, const double *mixture, ptrdiff_t n, const fd_pair *pair);
} fd_stack_loops;

typedef struct fd_row_loops {
    /* `scalar` numbers x (view.h) to (x + add) scale[0] scale[1], -0 to 0 */
    void (*widen)(const void *x, int scalar, ptrdiff_t n, double add, const double *scale, double *out);
    void (*stats)(const double *p, ptrdiff_t n, fd_stats *stats); /* sum_hi to working precision */
    /* x + add to `out`, which may be x, and its stats, but is_signed: there is an x < 0 */
    void (*smooth)(const double *x, ptrdiff_t n, double add, double *out, fd_stats *stats);
    void (*exact_stats)(const double *p, ptrdiff_t n, fd_stats *stats); /* sum_hi + sum_lo to twice that */
    double (*max)(const double *p, ptrdiff_t n);                        /* NaN if there is one */
    double (*least)(const double *p, ptrdiff_t n);                      /* above -inf; inf for none */
    double (*exp_sum)(const double *p, ptrdiff_t n, double max); /* of exp(p - max), bins at max left out */
    void (*exp)(const double *x, ptrdiff_t n, double max, double log, double *out); /* exp(x - max - log) */
    fd_sum_loop sum[FD_N_SUMS];                                                     /* of masses */
    fd_sum_loop log_sum[FD_N_SUMS];                                                 /* of log-masses */
    fd_sum_loop outside, inside; /* the mass of q where p has none, or some */
    double (*most_ratio)(const double *p, const double *q, ptrdiff_t n); /* of p/q, as doubles divide */
    fd_stack_loops stack, log_stack;                                     /* of masses, of log-masses */
    fd_single_loop single_sum[FD_N_SUMS];                                /* single_loops.h; NULL: has none */
    void (*single_stats)(const float *p, ptrdiff_t n, fd_stats *stats);  /* but is_tiny */
    fd_lane_loop lane_sum[FD_N_SUMS], lane_log_sum[FD_N_SUMS]; /* of rows side by side (lane_loops.h) */
    void (*lane_stats)(const double *x, ptrdiff_t pitch, ptrdiff_t n, double add, double *out,
                       fd_lane_stats *stats);
    void (*lane_order)(const double *p, const double *q, ptrdiff_t n, const double *p_total,
                       const double *q_total, double *first);
    void (*lane_swap)(double *p, double *q, ptrdiff_t n, const double *sign);
    void (*lane_turn)(const void *rows, int scalar, ptrdiff_t step, ptrdiff_t n, double *out);
    void (*surprisal)(const double *p, double *out, ptrdiff_t n);      /* -log2 p, bin by bin */
    void (*binary_entropy)(const double *p, double *out, ptrdiff_t n); /* bits */
    /* element_loops.h */
    void (*rel_entr)(const double *x, const double *y, ptrdiff_t n, double *out);
    void (*kl_div)(const double *x, const double *y, ptrdiff_t n, double *out);
} fd_row_loops;

#define fd_row_loops_now (fd_here->kernels->rows)

#endif

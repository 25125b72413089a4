/* All that rows know of the loops over bins: one table of functions per instruction set. The one in use is
 * fd_kernels_now (core.h). */
#ifndef FD_KERNELS_H
#define FD_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "rows/list.h"

struct fd_plan; /* matrix.h */
struct fd_side;
struct fd_cells; /* cells.h */

/* Bins are summed in 16 lanes on every instruction set, and in blocks: rows are cut at the same places
 * whatever their layout, the thread count or the caller's chunks, so the bits do not depend on them. */
enum { FD_LANES = 16, FD_BLOCK = 512, FD_DOT_BLOCK = 64, FD_JS_BLOCK = 64 };

/* What the terms of one pair of rows have in common. */
typedef struct {
    double c_hi, c_lo;   /* y = q*c puts both rows on the scale of p: c = sum(p)/sum(q) */
    double s_hi, s_lo;   /* sum(q), for cross entropy */
    double max_p, max_q; /* rows of logarithms: log sum exp p = max_p + log_p, and */
    double log_p, log_q;
    double shift, shift_lo; /* log sum exp p - log sum exp q */
    double w_p, w_q;        /* mixture weights of Jensen-Shannon, adding to 1 */
    double order;           /* alpha - 1 of Renyi */
} fd_pair;

/* What a block says of its masses; NaN and inf show in the sum. */
typedef struct {
    double sum_hi, sum_lo;
    int is_signed; /* there is a negative mass, or -0 */
    int is_tiny;   /* there is a mass between 0 and FD_MASS_MIN */
} fd_stats;

/* No product of a mass down to here and a row's sum leaves the range that log.h is made for. */
static const double FD_MASS_MIN = 0x1p-800;

typedef double (*fd_sum_loop)(const double *p, const double *q, ptrdiff_t n, const fd_pair *pair);

/* Row q of a stack with first row p; n is a multiple of FD_LANES. */
typedef double (*fd_stack_loop)(const double *p, const double *q, double *mixture, ptrdiff_t n,
                                const fd_pair *pair);

/* D = base + constants of the two rows + factor * sum (or its log2), good from the sum of the rows' limits to
 * `most`; 1 from `top` on; then into a unit, and its root. */
typedef struct {
    double base, factor, top, most, unit_hi, unit_lo;
    int log, root;
} fd_finish;

typedef struct {
    const char *name;
    /* `scalar` numbers x (rows.h) to (x + add) scale[0] scale[1], -0 to 0 */
    void (*widen)(const void *x, int scalar, ptrdiff_t n, double add, const double *scale, double *out);
    void (*stats)(const double *p, ptrdiff_t n, fd_stats *stats);       /* sum_hi to working precision */
    void (*exact_stats)(const double *p, ptrdiff_t n, fd_stats *stats); /* sum_hi + sum_lo to twice that */
    double (*max)(const double *p, ptrdiff_t n);                        /* NaN if there is one */
    double (*exp_sum)(const double *p, ptrdiff_t n, double max); /* of exp(p - max), bins at max left out */
    fd_sum_loop sum[FD_N_SUMS];                                  /* of masses */
    fd_sum_loop log_sum[FD_N_SUMS];                              /* of log-masses */
    fd_stack_loop stack[2];     /* of masses: to the mixture, then the sum (loops.h) */
    fd_stack_loop log_stack[2]; /* of log-masses */
    void (*log2)(const double *x, double *out, ptrdiff_t n); /* of positive normal numbers */
    int (*prepare)(const struct fd_plan *plan, const struct fd_side *side, ptrdiff_t i); /* prepare.h */
    /* of matrices, tiles.h: one row against several, or several against a panel of FD_LANES */
    void (*js_rows)(const double *p, const double *p_blocks, const double *q, const double *q_blocks,
                    ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, int look, double *sums);
    double (*js_near)(const double *p, const double *q, ptrdiff_t n, double c_hi, double c_lo);
    void (*js_rows32)(const float *p, const float *p_blocks, const float *q, const float *q_blocks,
                      ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, double *sums);
    void (*l1_rows)(const double *p, const double *q, ptrdiff_t step, int rows, ptrdiff_t width,
                    double *sums);
    void (*dot_rows)(const double *left, ptrdiff_t step, int rows, const double *panel, ptrdiff_t width,
                     double *sums, ptrdiff_t sums_step);
    /* of neighbours, nearest.c: the same in single precision, and what is done with bounds */
    void (*dot_rows32)(const float *left, ptrdiff_t step, int rows, const float *panel, ptrdiff_t width,
                       float *sums, ptrdiff_t sums_step);
    void (*overlap_bounds)(const float *overlaps, int n, double slack, double limit, const double *limits,
                           double *bounds);
    void (*l1_panels)(const double *x, const double *panel, ptrdiff_t n, double *sums);
    int (*within)(const double *values, int n, double reach, int *places);
    int (*finish_row)(double *values, int n, const fd_finish *finish, double constant, double limit,
                      const double *constants, const double *limits);
    /* of transport, cells.h: the two passes over all values */
    void (*cells_count)(struct fd_cells *c, int side, int chunk);
    void (*cells_gather)(struct fd_cells *c, int side, int chunk);
    void (*surprisal)(const double *p, double *out, ptrdiff_t n);      /* -log2 p, bin by bin */
    void (*binary_entropy)(const double *p, double *out, ptrdiff_t n); /* bits */
} fd_kernels;

extern const fd_kernels fd_kernels_base;
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#    define FD_X86 1
extern const fd_kernels fd_kernels_avx2;
extern const fd_kernels fd_kernels_avx512;
#endif

#endif

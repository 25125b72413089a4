/* What _wasserstein.pyx calls: rows of samples end to end, the plan, histograms and the circle. */
#ifndef FD_TRANSPORT_H
#define FD_TRANSPORT_H

#include <stdint.h>
#include "transport/sort.h"
#include "transport/source.h"

/* What a row is asked for. */
typedef enum { FD_WASSERSTEIN, FD_CRAMER, FD_ENERGY, FD_KS } fd_statistic;

typedef struct {
    fd_statistic statistic;
    double p;
    int omit;   /* leave NaNs out */
    int sorted; /* values ascend already */
} fd_task;

/* A C-contiguous matrix of samples, one a row. Two that are compared are both real or both not, and both have
 * weights or neither. */
typedef struct {
    const void *values;    /* double, or uint64_t where not `real`: differences beyond 2^53 stay exact */
    const double *weights; /* NULL: equal weights */
    int64_t length;
    int64_t step, weight_step; /* from one row to the next, in elements; 0: one row stands for many */
    int real;
} fd_samples;

/* The least length of the longer sample that goes through cells (cells.c): of W1 without weights, and else.
 * Measured by fastdiv bench --group corners. */
extern int64_t fd_cells_from[2];
/* The least total of values that is looked at for few values (lattice.c). */
extern int64_t fd_tally_from;

/* What a row costs, in ns. */
double fd_work_of_row(const fd_samples *u, const fd_samples *v);
/* result[row] for first <= row < last, by at most `workers` threads (0: as many as pay). -1: no memory. */
int fd_statistic_of_rows(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t first,
                         int64_t last, int workers, double *result);

/* One number of two samples of equal weights, not sorted, as they are given. 0: done; 1: other ways have to be
 * gone, which take doubles; -1: no memory. */
int fd_statistic_of_sources(fd_source *u, fd_source *v, const fd_task *task, double *result);

/* Where values and derivatives of rows go: by values and weights of u and of v, matrices like those of the
 * samples; those by values may be NULL. */
typedef struct {
    double *value, *values[2], *weights[2];
} fd_gradients;

double fd_work_of_gradient(const fd_samples *u, const fd_samples *v);
/* The rows first <= row < last of all of them, of all statistics but FD_KS and p < inf. -1: no memory. */
int fd_gradient_of_rows(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t first,
                        int64_t last, const fd_gradients *out);

/* The positions that sort one sample, and its sorted values. */
void fd_order_of(const fd_samples *x, ptrdiff_t *positions, void *values);

/* The monotone coupling of two sorted samples in pieces, at most n + m - 1, and its potentials. */
typedef struct {
    double p, scale;                  /* distances are taken times scale, a power of two */
    const int64_t *u_order, *v_order; /* the position of each sorted atom, in which all is told: */
    int64_t *rows, *cols;             /* from where and to where a piece goes, */
    double *mass;                     /* and its share of the mass */
    double *u_potential, *v_potential;
    double cost;    /* of all pieces */
    double largest; /* distance looked at */
} fd_coupling;

/* Fills the coupling; returns the number of its pieces. */
int64_t fd_couple(const fd_samples *u, const fd_samples *v, fd_coupling *coupling);
/* scale times W_p of two sorted samples of finite values. */
double fd_scaled_wasserstein(const fd_samples *u, const fd_samples *v, double p, double scale);

/* Points on a circle. */
typedef struct {
    const double *high, *low; /* remainders, as sums of both, ascending; low may be NULL on a line */
    const double *weights;    /* NULL: equal */
    int64_t n;
} fd_arc;

/* W_p, p < inf, on a circle of the circumference period + period_low. -1: no memory. */
double fd_circle_wasserstein(fd_arc u, fd_arc v, double period, double period_low, double p);
/* The same, with the derivatives by the points and weights of u and of v, in their order; out->value is left. */
double fd_circle_gradient(fd_arc u, fd_arc v, double period, double period_low, double p,
                          const fd_gradients *out);

/* Histograms, one a row, mass spread evenly within their bins. */
typedef struct {
    const double *high, *low;          /* edges, as sums of both; low = NULL where all are doubles */
    const double *masses, *masses_low; /* likewise, the high ones >= 0 */
    int64_t bins, step;                /* step: from one row to the next; 0: one row stands for many */
} fd_hists;

/* result[row] = W_p for first <= row < last. */
void fd_wasserstein_of_hists(const fd_hists *u, const fd_hists *v, double p, int64_t first, int64_t last,
                             double *result);
/* The same, with the derivatives by the masses, p < inf: matrices like those of the masses. */
void fd_gradients_of_hists(const fd_hists *u, const fd_hists *v, double p, int64_t first, int64_t last,
                           double *value, double *by_u, double *by_v);
/* What a row of them costs, in ns; with derivatives four times that. */
double fd_work_of_hist(const fd_hists *u, const fd_hists *v);

/* Whether all are >= 0 and they sum to 1. Samples give themselves away within a few values. */
int fd_like_shares(const fd_source *x);

#endif

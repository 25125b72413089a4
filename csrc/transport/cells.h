/* One row by cells: cells.c has the method, cell_loops.h the two passes over all values. */
#ifndef FD_CELLS_H
#define FD_CELLS_H

#include <stdint.h>
#include "math/sum.h"
#include "transport/chunks.h"
#include "transport/grid.h"
#include "transport/mass.h"

typedef struct { /* a value that was counted elsewhere, in both samples */
    double value;
    uint32_t count[2];
    int32_t cell;
} fd_spike;

typedef struct { /* mixed cells next to each other, from `left` to `right` */
    double left, right;
    fd_mass before[2];          /* mass of u and v left of it */
    int64_t first[2], count[2]; /* of the sorted u and v */
    int32_t spike, spikes;      /* of the cell that holds them, in a run of its own */
    double result;              /* area, or largest |F - G| */
} fd_run;

typedef struct { /* one sample */
    const fd_source *source;
    fd_masses masses;
    int chunks, tables; /* one table for each chunk, or one for all where chunks take turns */
    uint32_t *count;    /* [tables][cells + 2] */
    fd_mass *mass;      /* [tables][cells + 2], with weights only */
    double *atom;       /* [tables][cells + 2] the only value in a cell, or NaN; NULL: not looked for */
    double *gathered, *weights;       /* what lies in mixed cells */
    int64_t start[FD_MAX_CHUNKS + 1]; /* of each chunk's part of them */
    double place_sum[FD_MAX_CHUNKS];
} fd_cells_side;

typedef struct fd_cells {
    fd_grid grid;
    fd_cells_side side[2];
    int8_t *kind;      /* of each cell: FD_POSITIVE ... FD_MIXED */
    uint32_t *left[2]; /* [cells + 3] how many of u and v lie left of a cell; NULL: masses or atoms tell */
    fd_run *run;
    int32_t runs, run_capacity;
    fd_spike *spike; /* ascending */
    int32_t spikes;
    int64_t mixed[2]; /* how many u and v are gathered */
    fd_sum edges;     /* sum of |F - G| at left and right edges of unmixed cells */
    fd_sum atoms;     /* area of the cells that hold a single point */
    double largest;   /* |F - G| at an edge */
    int ks;           /* what is asked for: KS, or else W1 */
    int gather;       /* whether the second pass is needed */
    int failed;       /* no memory to sort one side (with weights: sides take turns) */
} fd_cells;

#define FD_COUNTABLE 0x1p56 /* n m of counts whose |F - G| are told as integers */

/* Odd: F - G is of this sign. Even: the cell's values add nothing to the sum of places. */
enum { FD_NEGATIVE = -1, FD_DONE = 0, FD_POSITIVE = 1, FD_MIXED = 2 };

/* W1 or KS of two unsorted samples by cells. 0: done; 1: the values do not suit; -1: no memory. `sample`: some
 * of both, finite and sorted. */
int fd_cells_statistic(const fd_source *u, const double *a, const fd_source *v, const double *b,
                       const double *sample, int size, int ks, int threads, double *result);

/* The same of two samples of n and m values of which all but the sources' are counted in `spike`: these may be few,
 * n m < FD_COUNTABLE. No value of the sources equals a spike. */
int fd_cells_between_spikes(const fd_source *u, int64_t n, const fd_source *v, int64_t m, fd_spike *spike,
                            int32_t spikes, const double *sample, int size, int ks, int threads,
                            double *result);

#endif

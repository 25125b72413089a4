/* The table of the loops of transport (cell_loops.h, lattice_loops.h, nested_loops.h, sort_loops.h): one for each instruction set. */
#ifndef FD_TRANSPORT_TABLE_H
#define FD_TRANSPORT_TABLE_H

#include <stdint.h>

#include "core/core.h"

enum { FD_SORT_FEW = 16384 }; /* so many values are sorted in one go */

/* 2 to 4 cells a value, a power of two: more would not fit the caches. */
static inline int fd_sort_cells(int n) {
    int cells = 128;
    while (cells < 2 * n)
        cells *= 2;
    return cells;
}

struct fd_cells; /* cells.h */
struct fd_tally; /* lattice.h */
struct fd_nests; /* nests.h */

/* The passes over all values of a side. */
typedef struct fd_cell_loops {
    void (*count)(struct fd_cells *c, int side, int chunk);
    void (*gather)(struct fd_cells *c, int side, int chunk);
    void (*kinds)(struct fd_cells *c);
    void (*tally)(struct fd_tally *t, int side, int chunk);
    int (*nests)(struct fd_nests *nests, const double *x, int n, int *missed);
    int (*sort_few)(const double *x, int n, double least, double *out,
                    uint16_t *room); /* of fd_sort_cells(n) + n */
    int (*sort_parts)(const double *x, int64_t n, double least, double *out, int64_t *end, int parts);
} fd_cell_loops;

#define fd_cell_loops_now (fd_here->kernels->cells)

#endif

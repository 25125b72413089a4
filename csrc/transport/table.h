/* The table of the loops of transport (cell_loops.h, lattice_loops.h): one for each instruction set. */
#ifndef FD_TRANSPORT_TABLE_H
#define FD_TRANSPORT_TABLE_H

#include "core/core.h"

struct fd_cells; /* cells.h */
struct fd_tally; /* lattice.h */

/* The passes over all values of a side. */
typedef struct fd_cell_loops {
    void (*count)(struct fd_cells *c, int side, int chunk);
    void (*gather)(struct fd_cells *c, int side, int chunk);
    void (*kinds)(struct fd_cells *c);
    void (*tally)(struct fd_tally *t, int side, int chunk);
} fd_cell_loops;

#define fd_cell_loops_now (fd_here->kernels->cells)

#endif

/* Samples of few values: the values that are expected, and how many of each came. lattice.c has the method,
 * lattice_loops.h the pass over all values. */
#ifndef FD_LATTICE_H
#define FD_LATTICE_H

#include <stdint.h>
#include "transport/chunks.h"
#include "transport/transport.h"

enum { FD_REGISTERS = 8 }; /* cells whose values are counted in registers, atoms compared with one by one */

/* Cell k in 1..cells stands for one value: atom[k], or the double nearest to (origin + k) / per. */
typedef struct {
    double per, width; /* width: 1 / per where that is exact, else 0 */
    double origin;
    int32_t cells;
    double *atom; /* NULL: values are multiples of 1 / per */
} fd_lattice;

typedef struct {
    const fd_source *source;
    int64_t n;
    int chunks, tables;           /* as in cells.h */
    uint32_t *count;              /* [tables][cells + 1][lanes]; cell 0: values that no cell stands for */
    double *rest;                 /* those */
    int64_t rests[FD_MAX_CHUNKS]; /* of each chunk, from where its values start; -1: too many */
    int64_t rest_total;
} fd_tally_side;

typedef struct fd_tally {
    fd_lattice lattice;
    int lanes;     /* neighbours in a row of counters: one counter would wait for its own last store */
    int most_rest; /* of a chunk, in sixteenths */
    fd_tally_side side[2];
} fd_tally;

static inline double fd_lattice_value(const fd_lattice *l, int32_t k) {
    const double whole = l->origin + (double)k;
    return l->atom ? l->atom[k] : l->width != 0.0 ? whole * l->width : whole / l->per;
}

/* A statistic of two unsorted samples of equal weights by counting. 0: done; 1: the values do not suit; -1:
 * no memory. `sample`: some of both, finite and sorted. */
int fd_tally_statistic(const fd_source *u, const fd_source *v, const double *sample, int size,
                       const fd_task *task, int threads, double *result);

#endif

/* The two passes of cells.c over all values of a sample: compiled once per instruction set. */
#ifndef FD_CELL_LOOPS_H
#define FD_CELL_LOOPS_H

#include "transport/cells.h"

/* First pass over one chunk: how many values, and how much mass, fall into each cell. */
static void fd_cells_count(fd_cells *c, int s, int chunk) {
    fd_cells_side *side = &c->side[s];
    int32_t cell[FD_BATCH];
    double place[FD_BATCH], wide[FD_BATCH];
    const size_t table = (size_t)(chunk % side->tables) * ((size_t)c->grid.cells + 2);
    uint32_t *count = side->count + table;
    const int64_t end = fd_chunk_start(side->source->n, side->chunks, chunk + 1);
    for (int64_t i = fd_chunk_start(side->source->n, side->chunks, chunk); i < end; i += FD_BATCH) {
        const int length = end - i < FD_BATCH ? (int)(end - i) : FD_BATCH;
        const double *x = fd_fetch(side->source, i, length, wide);
        fd_locate(x, length, c->grid, cell, place);
        if (side->atom) {
            double *atom = side->atom + table;
            for (int j = 0; j < length; j++) {
                const int32_t k = cell[j];
                const double before = count[k] ? atom[k] : x[j];
                atom[k] = before == x[j] ? before : NAN;
                count[k]++;
            }
        } else if (!side->mass) {
            for (int j = 0; j < length; j++)
                count[cell[j]]++;
        }
        if (side->mass) {
            fd_mass *mass = side->mass + table;
            const uint32_t one = side->atom == NULL;
            uint64_t low[FD_BATCH], high[FD_BATCH];
            fd_masses_into(side->masses.weights + i, length, side->masses.scale, low, high);
            for (int j = 0; j < length; j++) {
                mass[cell[j]] += (fd_mass)high[j] << 64 | low[j];
                count[cell[j]] += one;
            }
        }
    }
}

/* What kind each cell is of, and the sum or the largest of |F - G| at edges, from counts alone: as integers,
 * times n m < FD_COUNTABLE, so that 9 n m is one, too; their sum in two halves. fd_kind_of has the rules; cells that
 * are mixed already (they hold a spike) stay so. */
static void fd_cells_kinds(fd_cells *c) {
    const int32_t last = c->grid.cells + 1;
    const uint32_t *A = c->left[0], *B = c->left[1];
    const uint64_t n = (uint32_t)c->side[0].masses.n, m = (uint32_t)c->side[1].masses.n;
    const double unit = 1.0 / ((double)n * (double)m);
    int64_t largest = 0;
    uint64_t high = 0, low = 0;
    int8_t *kind = c->kind;
    if (c->ks) {
        for (int32_t k = 0; k <= last; k++) {
            const int64_t D = (int64_t)(A[k + 1] * m) - (int64_t)(B[k + 1] * n), size = D < 0 ? -D : D;
            largest = size > largest ? size : largest;
        }
        for (int32_t k = 0; k <= last; k++) {
            const int64_t most = (int64_t)(A[k + 1] * m) - (int64_t)(B[k] * n),
                          least = (int64_t)(A[k] * m) - (int64_t)(B[k + 1] * n);
            kind[k] = most > largest || -least > largest ? FD_MIXED : FD_DONE;
        }
        c->largest = (double)largest * unit;
        return;
    }
    for (int32_t k = 1; k < last; k++) {
        const int64_t x = (int64_t)(A[k] * m), y = (int64_t)(B[k] * n), up = (int64_t)(A[k + 1] * m) - x,
                      down = (int64_t)(B[k + 1] * n) - y, before = x - y, after = before + up - down;
        const int decided = kind[k] != FD_MIXED,
                  positive = decided & ((up + down == 0) | ((before > 0) & (8 * before >= 9 * down))),
                  negative = decided & (before < 0) & (-8 * before >= 9 * up);
        const uint64_t sum = (uint64_t)((before < 0 ? -before : before) + (after < 0 ? -after : after));
        kind[k] = (int8_t)(positive ? FD_POSITIVE : negative ? FD_NEGATIVE : FD_MIXED);
        high += positive | negative ? sum >> 32 : 0;
        low += positive | negative ? sum & UINT32_MAX : 0;
    }
    kind[0] = A[1] | B[1] ? FD_MIXED : FD_DONE;
    kind[last] = A[last + 1] - A[last] + B[last + 1] - B[last] ? FD_MIXED : FD_DONE;
    c->edges.value = ((double)high * 0x1p32 + (double)low) * unit;
}

/* Second pass over one chunk: sums the signed places in unmixed cells, gathers the values of the others.
 * Chunks that share a table must be taken in order. */
static void fd_cells_gather(fd_cells *c, int s, int chunk) {
    fd_cells_side *side = &c->side[s];
    int32_t cell[FD_BATCH], mixed[FD_BATCH];
    int8_t kind[FD_BATCH];
    double place[FD_BATCH], wide[FD_BATCH], total = 0.0;
    const int8_t *kind_of = c->kind;
    int64_t position = side->start[chunk];
    const int64_t room = side->tables == 1 ? c->mixed[s] : side->start[chunk + 1];
    /* Weights times 2^(scale - 126) sum to at most 1, so places lose nothing to the range of double. In two
     * factors: a subnormal weight takes up to 2^1074. */
    const int binary = side->masses.scale - 126;
    const double half = ldexp(1.0, binary / 2), rest = ldexp(1.0, binary - binary / 2);
    const int64_t end = fd_chunk_start(side->source->n, side->chunks, chunk + 1);
    for (int64_t i = fd_chunk_start(side->source->n, side->chunks, chunk); i < end; i += FD_BATCH) {
        const int length = end - i < FD_BATCH ? (int)(end - i) : FD_BATCH;
        const double *x = fd_fetch(side->source, i, length, wide);
        const double *w = side->mass ? side->masses.weights + i : NULL;
        double sum[8] = {0.0};
        int found = 0;
        fd_locate(x, length, c->grid, cell, place);
        for (int j = 0; j < length; j++) {
            kind[j] = kind_of[cell[j]];
            mixed[found] = (int32_t)j;
            found += kind[j] == FD_MIXED;
        }
        if (w)
            for (int j = 0; j < length; j++)
                place[j] *= w[j] * half * rest;
        for (int j = 0; j < length; j++) /* apart from the sum: else neither is done in vectors */
            place[j] *= (double)(kind[j] == FD_MIXED ? 0 : kind[j]);
        int j = 0;
        for (; j + 8 <= length; j += 8)
            for (int lane = 0; lane < 8; lane++)
                sum[lane] += place[j + lane];
        for (; j < length; j++)
            sum[0] += place[j];
        total += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
        if (found > room - position) /* another thread has changed the values since they were counted */
            found = (int)(room - position);
        for (j = 0; j < found; j++)
            side->gathered[position + j] = x[mixed[j]];
        for (j = 0; w && j < found; j++)
            side->weights[position + j] = w[mixed[j]];
        position += found;
    }
    if (side->tables == 1)
        side->start[chunk + 1] = position;
    side->place_sum[chunk] = total;
}

#endif

/* Runs of mixed cells, and how they are found and swept where counts alone tell. */
#ifndef FD_CELL_RUNS_H
#define FD_CELL_RUNS_H

#include <stdlib.h>

#include "transport/cells.h"
#include "transport/memory.h"
#include "transport/sweeps.h"
#include "transport/table.h"

enum { FD_EVENTS = 4096 };

/* A new run that begins at the left edge of cell k. NULL: no memory. */
static inline fd_run *fd_run_from(fd_cells *c, int32_t k, fd_mass A, fd_mass B) {
    if (c->runs == c->run_capacity) {
        c->run_capacity = 2 * c->run_capacity + 64;
        fd_run *grown = realloc(c->run, (size_t)c->run_capacity * sizeof *grown);
        if (!grown)
            return NULL;
        c->run = grown;
    }
    fd_run *run = &c->run[c->runs++];
    *run = (fd_run){.left = k ? fd_edge(c->grid, k - 1) : -INFINITY,
                    .before = {A, B},
                    .first = {c->mixed[0], c->mixed[1]}};
    return run;
}

/* Memory for what will be gathered, and where each chunk's part of it starts. */
static inline int fd_cells_make_room(fd_cells *c) {
    const size_t total = (size_t)c->grid.cells + 2;
    for (int s = 0; s < 2; s++) {
        fd_cells_side *side = &c->side[s];
        const size_t room = (size_t)c->mixed[s] + 1;
        side->gathered = fd_allocate(room * sizeof *side->gathered);
        side->weights = side->mass ? fd_allocate(room * sizeof *side->weights) : NULL;
        if (!side->gathered || (side->mass && !side->weights))
            return -1;
        for (int h = 0; side->tables > 1 && h < side->tables; h++) {
            int64_t mixed = 0;
            for (size_t k = 0; k < total; k++)
                mixed += c->kind[k] == FD_MIXED ? side->count[(size_t)h * total + k] : 0;
            side->start[h + 1] = side->start[h] + mixed;
        }
    }
    return 0;
}

/* Adds a mixed cell with `count` of both to the run that may still grow, or to a new one. -1: no memory. */
static inline int fd_run_on(fd_cells *c, fd_run **open, int32_t k, fd_mass A, fd_mass B,
                            const int64_t count[2]) {
    const int inside = k > 0 && k <= c->grid.cells;
    if (!inside || (*open && (*open)->count[0] + (*open)->count[1] >= FD_EVENTS))
        *open = NULL;
    fd_run *run = *open ? *open : fd_run_from(c, k, A, B);
    if (!run)
        return -1;
    run->right = k <= c->grid.cells ? fd_edge(c->grid, k) : INFINITY;
    for (int s = 0; s < 2; s++) {
        run->count[s] += count[s];
        c->mixed[s] += count[s];
    }
    *open = inside ? run : NULL;
    c->gather = 1;
    return 0;
}

/* Between the passes: which cells are mixed, what the others contribute, where gathered values will go. From
 * counts alone: 2 ns a cell. */
static inline int fd_cells_classify_counts(fd_cells *c) {
    const size_t total = (size_t)c->grid.cells + 2;
    for (int32_t i = 0; i < c->spikes; i++) {
        double place;
        fd_locate(&c->spike[i].value, 1, c->grid, &c->spike[i].cell, &place);
        c->kind[c->spike[i].cell] = FD_MIXED;
    }
    for (int s = 0; s < 2; s++) {
        const fd_cells_side *side = &c->side[s];
        uint32_t sum = 0;
        int32_t i = 0;
        for (size_t k = 0; k < total; k++) {
            c->left[s][k] = sum;
            for (int h = 0; h < side->tables; h++)
                sum += side->count[(size_t)h * total + k];
            for (; i < c->spikes && (size_t)c->spike[i].cell == k; i++)
                sum += c->spike[i].count[s];
        }
        c->left[s][total] = sum;
    }
    fd_cell_loops_now->kinds(c);
    c->gather = !c->ks || c->left[0][1] || c->left[1][1]; /* is one of cell 0 a NaN? */
    fd_run *open = NULL;
    for (int32_t k = 0, i = 0; k < c->grid.cells + 2; k++) {
        const uint32_t A = c->left[0][k], B = c->left[1][k];
        int64_t count[2] = {c->left[0][k + 1] - A, c->left[1][k + 1] - B};
        const int32_t first = i;
        for (; i < c->spikes && c->spike[i].cell == k; i++) {
            count[0] -= c->spike[i].count[0];
            count[1] -= c->spike[i].count[1];
        }
        open = i > first || c->kind[k] != FD_MIXED ? NULL : open;
        if (c->kind[k] != FD_MIXED)
            continue;
        if (fd_run_on(c, &open, k, A, B, count))
            return -1;
        if (i > first) {
            c->run[c->runs - 1].spike = first;
            c->run[c->runs - 1].spikes = i - first;
            open = NULL;
        }
    }
    return fd_cells_make_room(c);
}

/* A run with spikes: swept from one to the next. The area, or the largest |F - G|: no value equals a spike, so what
 * F - G is on either side of one it is on an interval. */
static inline double fd_cells_sweep_spikes(const fd_cells *c, const fd_run *run, const double *u,
                                           const double *v) {
    const int64_t n = c->side[0].masses.n, m = c->side[1].masses.n;
    int64_t D = (int64_t)run->before[0] * m - (int64_t)run->before[1] * n, i = 0, j = 0;
    fd_sum area = {0.0, 0.0};
    double left = run->left, largest = 0.0;
    for (int32_t k = run->spike; k <= run->spike + run->spikes; k++) {
        const int end = k == run->spike + run->spikes;
        const double right = end ? run->right : c->spike[k].value;
        const int64_t x = i, y = j;
        while (i < run->count[0] && (end || u[i] < right))
            i++;
        while (j < run->count[1] && (end || v[j] < right))
            j++;
        const double part =
            fd_counts_between_f64(u + x, i - x, v + y, j - y, m, n, D, left, right, c->ks ? 0 : 1);
        largest = part > largest ? part : largest;
        fd_sum_add(&area, part);
        D += (i - x) * m - (j - y) * n;
        if (!end)
            D += (int64_t)c->spike[k].count[0] * m - (int64_t)c->spike[k].count[1] * n;
        left = right;
    }
    return c->ks ? largest : fd_sum_total(area);
}

#endif

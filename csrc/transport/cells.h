/* W1 without sorting.
 *
 * Find how much of u and v falls into each cell of a grid. F - G is then known at every edge, exactly: from
 * counts as (i m - j n) / (n m), from masses as (A T - B S) / (S T). Inside a cell it can only move between
 * its value at the left edge minus the cell's share of v and that value plus the cell's share of u. Where
 * this range keeps away from 0 the sign s of F - G is constant, and with the places f in [-1/2, 1/2] of the
 * values from the middles of their cells
 *
 *     integral of |F - G| over the cell = s width ((F - G at the left + at the right edge) / 2
 *                                                  - sum f_u a_u / S + sum f_v b_v / T).
 *
 * Summed over all such cells these are three numbers. The values in other cells ("mixed") are gathered,
 * sorted and swept. Where ties are many, cells that hold one point only are done without either. Two samples
 * of one law leave some 5 sqrt(n + m) / cells of the values in mixed cells. Work: two passes over the values;
 * in the worst case, all mixed, also a sort: never worse than O(n log n).
 *
 * KS needs no places: only cells whose range reaches beyond the largest |F - G| at an edge are gathered.
 *
 * Error. A cell counts as unmixed only if the part of F - G that works against its sign is at most 8 times
 * what remains: no cancellation beyond a factor 17. Places are exact to 2^-53 of a cell and are summed in
 * blocks, so the unmixed part is right to some 17 * (2^-53 * 128): 2e-13 in the worst case, 3e-16 as
 * measured. Bits do not depend on threads: values are cut into chunks whose number depends on n and m only,
 * counts and masses are integers, and the sums of chunks are added in order.
 */
#ifndef FD_CELLS_H
#define FD_CELLS_H

#include <stdlib.h>
#include "transport/grid.h"
#include "transport/memory.h"
#include "transport/sort.h"

enum { FD_EVENTS = 4096, FD_MAX_CHUNKS = 8 };

typedef struct { /* mixed cells next to each other, from `left` to `right` */
    double left, right;
    fd_mass before[2];          /* mass of u and v left of it */
    int64_t first[2], count[2]; /* of the sorted u and v */
    double result;              /* area, or largest |F - G| */
} fd_run;

typedef struct { /* one sample */
    const double *values;
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
    int8_t *kind; /* of each cell: FD_POSITIVE ... FD_MIXED */
    fd_run *run;
    int32_t runs, run_capacity;
    int64_t mixed[2]; /* how many u and v are gathered */
    fd_sum edges;     /* sum of |F - G| at left and right edges of unmixed cells */
    fd_sum atoms;     /* area of the cells that hold a single point */
    double largest;   /* |F - G| at an edge */
    int ks;           /* what is asked for: KS, or else W1 */
    int gather;       /* whether the second pass is needed */
} fd_cells;

/* Odd: F - G is of this sign. Even: the cell's values add nothing to the sum of places. */
enum { FD_NEGATIVE = -1, FD_DONE = 0, FD_POSITIVE = 1, FD_MIXED = 2 };

static inline int fd_chunks(int64_t n) {
    const int64_t chunks = n >> 18;
    return chunks < 1 ? 1 : chunks > FD_MAX_CHUNKS ? FD_MAX_CHUNKS : (int)chunks;
}

/* Where a chunk starts; chunk = side->chunks gives the end. */
static inline int64_t fd_chunk_start(const fd_cells_side *side, int chunk) {
    return chunk == side->chunks ? side->masses.n : side->masses.n / side->chunks * chunk;
}

static inline void fd_cells_free(fd_cells *c) {
    for (int s = 0; s < 2; s++) {
        free(c->side[s].count);
        free(c->side[s].mass);
        free(c->side[s].atom);
        free(c->side[s].gathered);
        free(c->side[s].weights);
    }
    free(c->kind);
    free(c->run);
}

/* Finite values at scattered places, so that no period in the data can hide the rest. */
static inline int fd_sample(const double *x, int64_t n, double *sample, int size) {
    uint64_t state = 0x9e3779b97f4a7c15ull;
    int kept = 0;
    for (int i = 0; i < size; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        const double value = x[(int64_t)(((fd_mass)state * (fd_mass)n) >> 64)];
        sample[kept] = value;
        kept += isfinite(value) != 0;
    }
    return kept;
}

/* Chooses the grid and takes memory for it. 0: ready; 1: the values do not suit a grid; -1: no memory. */
static inline int fd_cells_open(fd_cells *c, const double *u, const double *a, int64_t n, const double *v,
                                const double *b, int64_t m, int ks, int threads, fd_sort *sort) {
    double sample[FD_SAMPLE];
    memset(c, 0, sizeof *c);
    c->ks = ks;
    int size = fd_sample(u, n, sample, FD_SAMPLE / 2), ties = 0;
    size += fd_sample(v, m, sample + size, FD_SAMPLE / 2);
    if (size == 0)
        return 1;
    sort(sample, size, NULL);
    for (int i = 1; i < size; i++)
        ties += sample[i] == sample[i - 1];
    int64_t cells = 256;
    while (cells < 65536 && cells * cells < 512 * (n + m))
        cells *= 2;
    c->grid = fd_grid_over(sample, size, (int32_t)cells);
    if (c->grid.cells == 0)
        return 1;
    const size_t total = (size_t)c->grid.cells + 2;
    c->side[0] = (fd_cells_side){.values = u, .masses = fd_masses_scaled(a, n), .chunks = fd_chunks(n)};
    c->side[1] = (fd_cells_side){.values = v, .masses = fd_masses_scaled(b, m), .chunks = fd_chunks(m)};
    c->kind = malloc(total * sizeof *c->kind);
    int failed = c->kind == NULL;
    for (int s = 0; s < 2; s++) {
        fd_cells_side *side = &c->side[s];
        side->tables = threads > 1 ? side->chunks : 1;
        side->count = calloc(total * (size_t)side->tables, sizeof *side->count);
        failed |= side->count == NULL;
        if (side->masses.weights) {
            side->mass = calloc(total * (size_t)side->tables, sizeof *side->mass);
            failed |= side->mass == NULL;
        }
        if (8 * ties > size && !ks) {
            side->atom = malloc(total * (size_t)side->tables * sizeof *side->atom);
            failed |= side->atom == NULL;
        }
    }
    return failed ? -1 : 0;
}

/* First pass over one chunk: how many values, and how much mass, fall into each cell. */
static inline void fd_cells_count(fd_cells *c, int s, int chunk) {
    fd_cells_side *side = &c->side[s];
    int32_t cell[FD_BATCH];
    double place[FD_BATCH];
    const size_t table = (size_t)(chunk % side->tables) * ((size_t)c->grid.cells + 2);
    uint32_t *count = side->count + table;
    const int64_t end = fd_chunk_start(side, chunk + 1);
    for (int64_t i = fd_chunk_start(side, chunk); i < end; i += FD_BATCH) {
        const int length = end - i < FD_BATCH ? (int)(end - i) : FD_BATCH;
        const double *x = side->values + i;
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

/* What one side has in cell k: how many values, their mass, and whether all of them are `atom` (NaN: not yet
 * seen); `atom` is left NaN and `single` 0 if they are not. */
static inline int64_t fd_cell(const fd_cells_side *side, size_t total, size_t k, fd_mass *mass, double *atom,
                              int *single) {
    int64_t count = 0;
    *mass = 0;
    for (int h = 0; h < side->tables; h++) {
        const size_t at = (size_t)h * total + k;
        if (side->count[at] == 0)
            continue;
        count += side->count[at];
        if (side->mass)
            *mass += side->mass[at];
        if (side->atom && *single && (*atom != *atom || *atom == side->atom[at]))
            *atom = side->atom[at];
        else
            *single = 0;
        *single &= *atom == *atom;
    }
    if (!side->mass)
        *mass = (fd_mass)count;
    return count;
}

/* Between the passes: which cells are mixed, what the others contribute, and where gathered values will go.
 */
static inline int fd_cells_classify(fd_cells *c) {
    const int32_t cells = c->grid.cells, total = cells + 2;
    fd_cells_side *u = &c->side[0], *v = &c->side[1];
    for (int s = 0; s < 2; s++)
        if (c->side[s].mass) {
            c->side[s].masses.total = 0;
            for (size_t k = 0; k < (size_t)total * (size_t)c->side[s].tables; k++)
                c->side[s].masses.total += c->side[s].mass[k];
        }
    const fd_mass S = u->masses.total, T = v->masses.total;
    const double per_S = 1.0 / fd_mass_to_double(S), per_T = 1.0 / fd_mass_to_double(T);
    const double unit = 1.0 / (fd_mass_to_double(S) * fd_mass_to_double(T));
    for (int pass = c->ks ? 0 : 1; pass < 2;
         pass++) { /* KS: first the edges, then the cells that can beat them */
        fd_mass A = 0, B = 0;
        double before = 0.0;
        fd_run *open = NULL;
        for (int32_t k = 0; k < total; k++) {
            fd_mass mass[2];
            double atom = NAN;
            int single = 1;
            const int64_t count[2] = {fd_cell(u, (size_t)total, (size_t)k, &mass[0], &atom, &single),
                                      fd_cell(v, (size_t)total, (size_t)k, &mass[1], &atom, &single)};
            const int inside = k > 0 && k <= cells, empty = !(mass[0] | mass[1]);
            const double up = fd_mass_to_double(mass[0]) * per_S, down = fd_mass_to_double(mass[1]) * per_T;
            const double least = before - down, most = before + up;
            const double after = empty ? before : fd_cross_difference(A + mass[0], T, B + mass[1], S) * unit;
            if (pass == 0) {
                c->largest = fabs(after) > c->largest ? fabs(after) : c->largest;
                before = after;
                A += mass[0];
                B += mass[1];
                continue;
            }
            int8_t kind = FD_MIXED;
            if (c->ks) {
                kind = most > c->largest || least < -c->largest ? FD_MIXED : FD_DONE;
            } else if (inside && single && !empty) {
                kind = FD_DONE;
                fd_sum_add(&c->atoms, fabs(before) * (atom - fd_edge(c->grid, k - 1)));
                fd_sum_add(&c->atoms, fabs(after) * (fd_edge(c->grid, k) - atom));
            } else if (inside && (empty || (least > 0.0 && 8.0 * least >= down))) {
                kind = FD_POSITIVE;
            } else if (inside && most < 0.0 && -8.0 * most >= up) {
                kind = FD_NEGATIVE;
            } else if (empty) {
                kind = FD_DONE;
            }
            c->kind[k] = kind;
            if (kind & 1) {
                fd_sum_add(&c->edges, fabs(before) + fabs(after));
                c->gather |= !empty;
            }
            if (kind != FD_MIXED || !inside || (open && open->count[0] + open->count[1] >= FD_EVENTS))
                open = NULL;
            if (kind == FD_MIXED) {
                if (!open) {
                    if (c->runs == c->run_capacity) {
                        c->run_capacity = 2 * c->run_capacity + 64;
                        fd_run *grown = realloc(c->run, (size_t)c->run_capacity * sizeof *grown);
                        if (!grown)
                            return -1;
                        c->run = grown;
                    }
                    open = &c->run[c->runs++];
                    *open = (fd_run){.left = k ? fd_edge(c->grid, k - 1) : -INFINITY,
                                     .before = {A, B},
                                     .first = {c->mixed[0], c->mixed[1]}};
                }
                open->right = k <= cells ? fd_edge(c->grid, k) : INFINITY;
                for (int s = 0; s < 2; s++) {
                    open->count[s] += count[s];
                    c->mixed[s] += count[s];
                }
                if (!inside)
                    open = NULL;
                c->gather = 1;
            }
            before = after;
            A += mass[0];
            B += mass[1];
        }
    }
    for (int s = 0; s < 2; s++) {
        fd_cells_side *side = &c->side[s];
        const size_t room = (size_t)c->mixed[s] + 1;
        side->gathered = fd_allocate(room * sizeof *side->gathered);
        side->weights = side->mass ? fd_allocate(room * sizeof *side->weights) : NULL;
        if (!side->gathered || (side->mass && !side->weights))
            return -1;
        for (int h = 0; side->tables > 1 && h < side->tables; h++) {
            int64_t mixed = 0;
            for (int32_t k = 0; k < total; k++)
                mixed += c->kind[k] == FD_MIXED ? side->count[(size_t)h * (size_t)total + (size_t)k] : 0;
            side->start[h + 1] = side->start[h] + mixed;
        }
    }
    return 0;
}

/* Second pass over one chunk: sums the signed places in unmixed cells, gathers the values of the others.
 * Chunks that share a table must be taken in order. */
static inline void fd_cells_gather(fd_cells *c, int s, int chunk) {
    fd_cells_side *side = &c->side[s];
    int32_t cell[FD_BATCH], mixed[FD_BATCH];
    int8_t kind[FD_BATCH];
    double place[FD_BATCH], total = 0.0;
    const int8_t *kind_of = c->kind;
    int64_t position = side->start[chunk];
    /* Weights times 2^(scale - 126) sum to at most 1, so places lose nothing to the range of double. In two
     * factors: a subnormal weight takes up to 2^1074. */
    const int binary = side->masses.scale - 126;
    const double half = ldexp(1.0, binary / 2), rest = ldexp(1.0, binary - binary / 2);
    const int64_t end = fd_chunk_start(side, chunk + 1);
    for (int64_t i = fd_chunk_start(side, chunk); i < end; i += FD_BATCH) {
        const int length = end - i < FD_BATCH ? (int)(end - i) : FD_BATCH;
        const double *x = side->values + i, *w = side->mass ? side->masses.weights + i : NULL;
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
        int j = 0;
        for (; j + 8 <= length; j += 8)
            for (int lane = 0; lane < 8; lane++)
                sum[lane] += place[j + lane] * (double)(kind[j + lane] == FD_MIXED ? 0 : kind[j + lane]);
        for (; j < length; j++)
            sum[0] += place[j] * (double)(kind[j] == FD_MIXED ? 0 : kind[j]);
        total += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
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

/* Sorts what was gathered of one side. 0, or -1: no memory. */
static inline int fd_cells_sort(fd_cells *c, int s, fd_sorts sorts) {
    fd_cells_side *side = &c->side[s];
    const int64_t n = c->mixed[s];
    if (!side->mass) {
        sorts.sort_f64(side->gathered, n, NULL);
        return 0;
    }
    double *values = fd_allocate(((size_t)n + 1) * sizeof *values),
           *w = fd_allocate(((size_t)n + 1) * sizeof *w);
    ptrdiff_t *order = fd_allocate(((size_t)n + 1) * sizeof *order);
    const int failed = !values || !w || !order;
    if (!failed) {
        const double *weights = side->weights;
        fd_arrange_f64(side->gathered, &weights, n, 0, values, w, order, sorts);
        free(side->gathered);
        free(side->weights);
        side->gathered = values;
        side->weights = w;
    } else {
        free(values);
        free(w);
    }
    free(order);
    return failed ? -1 : 0;
}

/* One run; NaN if it holds a NaN or an infinity (only the first and the last can). */
static inline void fd_cells_sweep(fd_cells *c, int32_t r) {
    fd_run *run = &c->run[r];
    const double *u = c->side[0].gathered + run->first[0], *v = c->side[1].gathered + run->first[1];
    const int64_t n = run->count[0], m = run->count[1];
    fd_masses a = c->side[0].masses, b = c->side[1].masses;
    double left = run->left, right = run->right;
    if (left == -INFINITY || right == INFINITY) {
        const double first = !m || (n && u[0] < v[0]) ? u[0] : v[0];
        const double last = !m || (n && u[n - 1] > v[m - 1]) ? u[n - 1] : v[m - 1];
        if (!isfinite(first) || !isfinite(last) || (n && isnan(u[n - 1])) || (m && isnan(v[m - 1]))) {
            run->result = NAN;
            return;
        }
        left = left == -INFINITY ? first : left;
        right = right == INFINITY ? last : right;
    }
    if (!a.weights && !c->ks && (double)a.n * (double)b.n < 0x1p62) {
        const int64_t D = (int64_t)run->before[0] * b.n - (int64_t)run->before[1] * a.n;
        run->result = fd_area_between_f64(u, n, v, m, b.n, a.n, D, left, right);
        return;
    }
    a.n = n;
    b.n = m;
    if (a.weights) {
        a.weights = c->side[0].weights + run->first[0];
        b.weights = c->side[1].weights + run->first[1];
    }
    run->result =
        fd_cdf_between_f64(u, a, run->before[0], v, b, run->before[1], left, right, c->ks ? 0 : 1, 1.0);
}

/* The distance; NaN if some value is not finite. */
static inline double fd_cells_total(const fd_cells *c) {
    double places[2] = {0.0, 0.0}, largest = c->largest;
    for (int s = 0; s < 2; s++)
        for (int h = 0; h < c->side[s].chunks; h++)
            places[s] += c->side[s].place_sum[h];
    fd_sum total = c->atoms;
    for (int32_t r = 0; r < c->runs; r++) {
        largest = c->run[r].result > largest ? c->run[r].result : largest;
        fd_sum_add(&total, c->run[r].result);
    }
    if (c->ks)
        return places[0] + places[1] + fd_sum_total(total) == INFINITY ||
                       isnan(places[0] + places[1] + fd_sum_total(total))
                   ? NAN
                   : largest;
    for (int s = 0; s < 2; s++)
        places[s] /= c->side[s].mass ? fd_mass_to_double(c->side[s].masses.total) * 0x1p-126
                                     : (double)c->side[s].masses.n;
    fd_sum_add(&total, c->grid.width * (0.5 * fd_sum_total(c->edges) - places[0] + places[1]));
    return fd_sum_total(total);
}

#endif

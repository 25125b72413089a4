/* W1 without sorting.
 *
 * Count how many u and v fall into each cell of a grid. D = F - G, times n m, is then an integer known at every
 * edge: D += c_u m - c_v n. Inside a cell it can move only between D - c_v n and D + c_u m. Where that range
 * keeps away from 0 its sign s is constant, and with the places f in [-1/2, 1/2] of the values from the middles of their cells
 *
 *     integral over the cell of |D| = s width ((D at the left + D at the right edge) / 2 - m sum f_u + n sum f_v).
 *
 * Summed over all such cells that is one integer and two sums of +-f. The values in other cells ("mixed") are
 * gathered, sorted and swept. Where ties are many, cells that hold one point only are done without either. Two samples of one law leave some 5 sqrt(n + m) / cells
 * of the values in mixed cells. Work: two passes over the values; in the worst case, all mixed, also a sort.
 *
 * Error. A cell counts as unmixed only if the part of D that works against its sign is at most 8 times what
 * remains: no cancellation beyond a factor 17. Places are exact to 2^-53 of a cell and are summed in blocks, so
 * the unmixed part is right to some 17 * (2^-53 * 128): 2e-13 in the worst case, 1e-15 as measured.
 * Bits do not depend on threads: values are cut into chunks whose number depends on n and m only, counts are
 * integers, and the sums of chunks are added in order.
 */
#ifndef FD_CELLS_H
#define FD_CELLS_H

#include <stdlib.h>
#include "grid.h"
#include "sort.h"

enum { FD_EVENTS = 4096, FD_MAX_CHUNKS = 8 };

typedef struct { /* mixed cells next to each other, from `left` to `right` */
    double left, right;
    int64_t difference;             /* D at the left edge */
    int64_t first[2], count[2];     /* of the sorted u and v */
    double area;
} fd_run;

typedef struct { /* one sample */
    const double *values;
    int64_t n, weight;              /* a value moves D by weight */
    int chunks, tables;             /* one table for each chunk, or one for all where chunks take turns */
    uint32_t *count;                /* [tables][cells + 2] */
    double *gathered;               /* the values in mixed cells */
    int64_t start[FD_MAX_CHUNKS + 1]; /* of each chunk's part of them */
    double place_sum[FD_MAX_CHUNKS];
    double *atom;                   /* [tables][cells + 2] the only value in a cell, or NaN; NULL: not looked for */
} fd_side;

typedef struct {
    fd_grid grid;
    fd_side side[2];
    int32_t *kind;                  /* of each cell: FD_POSITIVE ... FD_MIXED */
    fd_run *run;
    int32_t runs, run_capacity;
    int64_t mixed[2];               /* how many u and v are gathered */
    double unmixed;                 /* sum of |D at left + right edges| / (n m) over unmixed cells */
    double atoms;                   /* area of the cells that hold a single point */
    int gather;                     /* whether the second pass is needed */
} fd_cells;

enum { FD_NEGATIVE = -1, FD_ATOM = 0, FD_POSITIVE = 1, FD_MIXED = 2 };

static inline int fd_chunks(int64_t n)
{
    const int64_t chunks = n >> 18;
    return chunks < 1 ? 1 : chunks > FD_MAX_CHUNKS ? FD_MAX_CHUNKS : (int)chunks;
}

static inline void fd_chunk(const fd_side *side, int chunk, const double **from, int64_t *length)
{
    const int64_t size = side->n / side->chunks, start = size * chunk;
    *from = side->values + start;
    *length = chunk + 1 == side->chunks ? side->n - start : size;
}

static inline void fd_cells_free(fd_cells *c)
{
    for (int s = 0; s < 2; s++) {
        free(c->side[s].count);
        free(c->side[s].gathered);
        free(c->side[s].atom);
    }
    free(c->kind);
    free(c->run);
}

/* Values at scattered places, so that no period in the data can hide the rest. */
static inline int fd_sample(const double *x, int64_t n, double *sample, int size)
{
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
static inline int fd_cells_open(fd_cells *c, const double *u, int64_t n, const double *v, int64_t m, int threads,
                                fd_sort *sort)
{
    double sample[FD_SAMPLE];
    memset(c, 0, sizeof *c);
    int size = fd_sample(u, n, sample, FD_SAMPLE / 2);
    size += fd_sample(v, m, sample + size, FD_SAMPLE / 2);
    if (size == 0)
        return 1;
    sort(sample, size, NULL);
    int64_t cells = 256;
    while (cells < 65536 && cells * cells < 256 * (n + m))
        cells *= 2;
    c->grid = fd_grid_over(sample, size, (int32_t)cells);
    if (c->grid.cells == 0)
        return 1;
    const size_t total = (size_t)c->grid.cells + 2;
    c->side[0] = (fd_side){.values = u, .n = n, .weight = m, .chunks = fd_chunks(n)};
    c->side[1] = (fd_side){.values = v, .n = m, .weight = n, .chunks = fd_chunks(m)};
    for (int s = 0; s < 2; s++)
        c->side[s].tables = threads > 1 ? c->side[s].chunks : 1;
    c->kind = malloc(total * sizeof *c->kind);
    int failed = c->kind == NULL, ties = 0;
    for (int i = 1; i < size; i++)
        ties += sample[i] == sample[i - 1];
    for (int s = 0; s < 2; s++) {
        if (8 * ties > size) {
            c->side[s].atom = malloc(total * (size_t)c->side[s].tables * sizeof *c->side[s].atom);
            failed |= c->side[s].atom == NULL;
        }
        c->side[s].count = calloc(total * (size_t)c->side[s].tables, sizeof *c->side[s].count);
        failed |= c->side[s].count == NULL;
    }
    return failed ? -1 : 0;
}

/* First pass over one chunk: how many values fall into each cell. */
static inline void fd_cells_count(fd_cells *c, int s, int chunk)
{
    fd_side *side = &c->side[s];
    int32_t cell[FD_BATCH];
    double place[FD_BATCH];
    const double *x;
    int64_t n;
    fd_chunk(side, chunk, &x, &n);
    const size_t table = (size_t)(chunk % side->tables) * ((size_t)c->grid.cells + 2);
    uint32_t *count = side->count + table;
    double *atom = side->atom ? side->atom + table : NULL;
    for (int64_t i = 0; i < n; i += FD_BATCH) {
        const int length = n - i < FD_BATCH ? (int)(n - i) : FD_BATCH;
        fd_locate(x + i, length, c->grid, cell, place);
        if (atom)
            for (int j = 0; j < length; j++) {
                const int32_t k = cell[j];
                const double value = x[i + j], before = count[k] ? atom[k] : value;
                atom[k] = before == value ? value : NAN;
            }
        for (int j = 0; j < length; j++)
            count[cell[j]]++;
    }
}

/* The one value that all of cell k have in common, or NaN. */
static inline double fd_cells_atom(const fd_cells *c, size_t k)
{
    double atom = NAN;
    for (int s = 0; s < 2; s++)
        for (int h = 0; c->side[s].atom && h < c->side[s].tables; h++) {
            const size_t at = (size_t)h * ((size_t)c->grid.cells + 2) + k;
            if (c->side[s].count[at] == 0)
                continue;
            const double here = c->side[s].atom[at];
            if (!(here == atom || (atom != atom && here == here)))
                return NAN;
            atom = here;
        }
    return atom;
}

/* Between the passes: which cells are mixed, what the others contribute, and where gathered values will go. */
static inline int fd_cells_classify(fd_cells *c)
{
    const int32_t cells = c->grid.cells, total = cells + 2;
    const int64_t m = c->side[0].weight, n = c->side[1].weight;
    const double unit = 1.0 / ((double)n * (double)m);
    int64_t difference = 0, gathered[2] = {0, 0};
    __int128 unmixed = 0;
    fd_sum atoms = {0.0, 0.0};
    fd_run *open = NULL;
    for (int32_t k = 0; k < total; k++) {
        int64_t count[2] = {0, 0};
        for (int s = 0; s < 2; s++)
            for (int h = 0; h < c->side[s].tables; h++)
                count[s] += c->side[s].count[(size_t)h * (size_t)total + (size_t)k];
        const int64_t up = count[0] * m, down = count[1] * n, next = difference + up - down;
        const int64_t least = difference - down, most = difference + up;
        const int inside = k > 0 && k <= cells, empty = up + down == 0;
        const double atom = inside && !empty ? fd_cells_atom(c, (size_t)k) : NAN;
        if (atom == atom) {
            c->kind[k] = FD_ATOM;
            fd_add(&atoms, fabs((double)difference) * unit * (atom - fd_edge(c->grid, k - 1)));
            fd_add(&atoms, fabs((double)next) * unit * (fd_edge(c->grid, k) - atom));
        } else if (inside && (empty || (least > 0 && least >= down / 8))) {
            c->kind[k] = FD_POSITIVE;
        } else if (inside && most < 0 && -most >= up / 8) {
            c->kind[k] = FD_NEGATIVE;
        } else {
            c->kind[k] = empty ? FD_ATOM : FD_MIXED;
        }
        if (c->kind[k] & 1) {
            unmixed += (difference > 0 ? difference : -difference) + (next > 0 ? next : -next);
            c->gather |= !empty;
        }
        if (c->kind[k] != FD_MIXED || !inside || (open && open->count[0] + open->count[1] >= FD_EVENTS))
            open = NULL;
        if (c->kind[k] == FD_MIXED) {
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
                                 .difference = difference,
                                 .first = {gathered[0], gathered[1]}};
            }
            open->right = k <= cells ? fd_edge(c->grid, k) : INFINITY;
            for (int s = 0; s < 2; s++) {
                open->count[s] += count[s];
                gathered[s] += count[s];
            }
            if (!inside)
                open = NULL;
            c->gather = 1;
        }
        difference = next;
    }
    c->atoms = fd_total(atoms);
    c->unmixed = (double)unmixed * unit;
    for (int s = 0; s < 2; s++) {
        fd_side *side = &c->side[s];
        side->gathered = malloc(((size_t)gathered[s] + FD_BATCH) * sizeof *side->gathered);
        if (!side->gathered)
            return -1;
        for (int h = 0; side->tables > 1 && h < side->tables; h++) {
            int64_t mixed = 0;
            for (int32_t k = 0; k < total; k++)
                mixed += c->kind[k] == FD_MIXED ? side->count[(size_t)h * (size_t)total + (size_t)k] : 0;
            side->start[h + 1] = side->start[h] + mixed;
        }
        c->mixed[s] = gathered[s];
    }
    return 0;
}

/* Second pass over one chunk: sums the signed places in unmixed cells, gathers the values of the others.
 * Chunks that share a table must be taken in order. */
static inline void fd_cells_gather(fd_cells *c, int s, int chunk)
{
    fd_side *side = &c->side[s];
    int32_t cell[FD_BATCH];
    double place[FD_BATCH], kept[FD_BATCH], total = 0.0;
    const double *x;
    int64_t n;
    fd_chunk(side, chunk, &x, &n);
    double *gathered = side->gathered + side->start[chunk];
    for (int64_t i = 0; i < n; i += FD_BATCH, x += FD_BATCH) {
        const int length = n - i < FD_BATCH ? (int)(n - i) : FD_BATCH;
        double sum[8] = {0.0};
        fd_locate(x, length, c->grid, cell, place);
        for (int j = 0; j < length; j++)
            cell[j] = c->kind[cell[j]];
        int j = 0;
        for (; j + 8 <= length; j += 8)
            for (int lane = 0; lane < 8; lane++)
                sum[lane] += place[j + lane] * (double)(cell[j + lane] == FD_MIXED ? 0 : cell[j + lane]);
        for (; j < length; j++)
            sum[0] += place[j] * (double)(cell[j] == FD_MIXED ? 0 : cell[j]);
        total += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
        int found = 0;
        for (j = 0; j < length; j++) {
            kept[found] = x[j];
            found += cell[j] == FD_MIXED;
        }
        memcpy(gathered, kept, (size_t)found * sizeof *gathered);
        gathered += found;
    }
    if (side->tables == 1)
        side->start[chunk + 1] = gathered - side->gathered;
    side->place_sum[chunk] = total;
}

/* The area of one run; NaN if it holds a NaN or an infinity (only the first and the last can). */
static inline void fd_cells_sweep(fd_cells *c, int32_t b)
{
    fd_run *run = &c->run[b];
    double *u = c->side[0].gathered + run->first[0], *v = c->side[1].gathered + run->first[1];
    const int64_t n = run->count[0], m = run->count[1];
    double left = run->left, right = run->right;
    if (left == -INFINITY || right == INFINITY) {
        const double first = !m || (n && u[0] < v[0]) ? u[0] : v[0];
        const double last = !m || (n && u[n - 1] > v[m - 1]) ? u[n - 1] : v[m - 1];
        if (!isfinite(first) || !isfinite(last) || (n && isnan(u[n - 1])) || (m && isnan(v[m - 1]))) {
            run->area = NAN;
            return;
        }
        left = left == -INFINITY ? first : left;
        right = right == INFINITY ? last : right;
    }
    run->area = fd_area_between_f64(u, n, v, m, c->side[0].weight, c->side[1].weight, run->difference,
                                       left, right);
}

/* The distance; NaN if some value is not finite. */
static inline double fd_cells_total(const fd_cells *c)
{
    double places[2] = {0.0, 0.0};
    for (int s = 0; s < 2; s++)
        for (int h = 0; h < c->side[s].chunks; h++)
            places[s] += c->side[s].place_sum[h];
    fd_sum total = {0.0, 0.0};
    for (int32_t b = 0; b < c->runs; b++)
        fd_add(&total, c->run[b].area);
    const double n = (double)c->side[0].n, m = (double)c->side[1].n;
    fd_add(&total, c->atoms);
    fd_add(&total, c->grid.width * (0.5 * c->unmixed - places[0] / n + places[1] / m));
    return fd_total(total);
}

#endif

/* W1 without sorting.
 *
 * Count how many u and v fall into each cell of a grid. D = F - G, times n m, is then an integer known at every
 * edge: D += c_u m - c_v n. Inside a cell it can move only between D - c_v n and D + c_u m. Where that range
 * keeps away from 0 its sign s is constant, and with the places f in [-1/2, 1/2] of the values from the middles of their cells
 *
 *     integral over the cell of |D| = s width ((D at the left + D at the right edge) / 2 - m sum f_u + n sum f_v).
 *
 * Summed over all such cells that is one integer and two sums of +-f. The other cells ("mixed") are gathered
 * into buckets of a few hundred values, sorted and swept. Two samples of one law leave some 5 sqrt(n + m) / cells
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

enum { FD_BUCKET = 512, FD_MAX_CHUNKS = 8 };

typedef struct { /* consecutive mixed cells from `left` to `right` */
    double left, right;
    int64_t difference;             /* D at the left edge */
    int64_t first[2], count[2];     /* where the gathered u and v are */
    double area;
} fd_bucket;

typedef struct { /* one sample */
    const double *values;
    int64_t n, weight;              /* a value moves D by weight */
    int chunks;
    uint32_t *count;                /* [chunks][cells + 2] */
    int64_t *cursor;                /* [chunks][buckets] */
    double *gathered;
    double place_sum[FD_MAX_CHUNKS];
    int centred[FD_MAX_CHUNKS];     /* all values are multiples of the cell width, in the middle of a cell */
} fd_side;

typedef struct {
    fd_grid grid;
    fd_side side[2];
    int32_t *kind;                  /* of each cell: FD_POSITIVE, FD_NEGATIVE or its bucket */
    fd_bucket *bucket;
    int32_t buckets, bucket_capacity;
    double unmixed;                 /* sum of |D at left + right edges| / (n m) over unmixed cells */
} fd_cells;

enum { FD_POSITIVE = -1, FD_NEGATIVE = -2 };

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
        free(c->side[s].cursor);
        free(c->side[s].gathered);
    }
    free(c->kind);
    free(c->bucket);
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
static inline int fd_cells_open(fd_cells *c, const double *u, int64_t n, const double *v, int64_t m, fd_sort *sort)
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
    c->kind = malloc(total * sizeof *c->kind);
    int failed = c->kind == NULL;
    for (int s = 0; s < 2; s++) {
        c->side[s].count = calloc(total * (size_t)c->side[s].chunks, sizeof *c->side[s].count);
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
    double off = 0.0;
    const double *x;
    int64_t n;
    fd_chunk(side, chunk, &x, &n);
    uint32_t *count = side->count + (size_t)chunk * ((size_t)c->grid.cells + 2);
    for (int64_t i = 0; i < n; i += FD_BATCH) {
        const int length = n - i < FD_BATCH ? (int)(n - i) : FD_BATCH;
        fd_locate(x + i, length, c->grid, cell, place);
        for (int j = 0; j < length; j++)
            count[cell[j]]++;
        if (off == 0.0)
            for (int j = 0; j < length; j++)
                off += fabs(place[j]);
    }
    side->centred[chunk] = off == 0.0;
}

/* Between the passes: which cells are mixed, what the others contribute, and where gathered values will go. */
static inline int fd_cells_classify(fd_cells *c)
{
    const int32_t cells = c->grid.cells, total = cells + 2;
    const int64_t m = c->side[0].weight, n = c->side[1].weight;
    int64_t difference = 0;
    __int128 unmixed = 0;
    int centred = 1;
    for (int s = 0; s < 2; s++)
        for (int h = 0; h < c->side[s].chunks; h++)
            centred &= c->side[s].centred[h];
    int64_t gathered[2] = {0, 0};
    fd_bucket *open = NULL;
    for (int32_t k = 0; k < total; k++) {
        int64_t count[2] = {0, 0};
        for (int s = 0; s < 2; s++)
            for (int h = 0; h < c->side[s].chunks; h++)
                count[s] += c->side[s].count[(size_t)h * (size_t)total + (size_t)k];
        const int64_t up = count[0] * m, down = count[1] * n, next = difference + up - down;
        const int inside = k > 0 && k <= cells;
        const int64_t least = difference - down, most = difference + up;
        int mixed = up + down > 0;
        c->kind[k] = FD_POSITIVE;
        if (inside && (least > 0 || most < 0 || !mixed || centred)) {
            c->kind[k] = least > 0 ? FD_POSITIVE : FD_NEGATIVE;
            if (!mixed || centred || (least > 0 && least >= down / 8) || (most < 0 && -most >= up / 8)) {
                unmixed += (difference > 0 ? difference : -difference) + (next > 0 ? next : -next);
                mixed = 0;
            }
        }
        if (!mixed || !inside || (open && open->count[0] + open->count[1] >= FD_BUCKET))
            open = NULL;
        if (mixed) {
            if (!open) {
                if (c->buckets == c->bucket_capacity) {
                    c->bucket_capacity = 2 * c->bucket_capacity + 64;
                    fd_bucket *grown = realloc(c->bucket, (size_t)c->bucket_capacity * sizeof *grown);
                    if (!grown)
                        return -1;
                    c->bucket = grown;
                }
                open = &c->bucket[c->buckets++];
                *open = (fd_bucket){.left = k ? fd_edge(c->grid, k - 1) : -INFINITY,
                                    .difference = difference,
                                    .first = {gathered[0], gathered[1]}};
            }
            c->kind[k] = c->buckets - 1;
            open->right = k <= cells ? fd_edge(c->grid, k) : INFINITY;
            for (int s = 0; s < 2; s++) {
                open->count[s] += count[s];
                gathered[s] += count[s];
            }
            if (!inside)
                open = NULL;
        }
        difference = next;
    }
    c->unmixed = (double)unmixed / ((double)n * (double)m);
    for (int s = 0; s < 2; s++) {
        fd_side *side = &c->side[s];
        const size_t buckets = (size_t)c->buckets;
        side->cursor = calloc((size_t)side->chunks * buckets + 1, sizeof *side->cursor);
        side->gathered = malloc(((size_t)gathered[s] + 1) * sizeof *side->gathered);
        if (!side->cursor || !side->gathered)
            return -1;
        for (int32_t k = 0; k < total; k++)
            if (c->kind[k] >= 0)
                for (int h = 0; h < side->chunks; h++)
                    side->cursor[(size_t)h * buckets + (size_t)c->kind[k]] +=
                        side->count[(size_t)h * (size_t)total + (size_t)k];
        for (size_t b = 0; b < buckets; b++) {
            int64_t position = c->bucket[b].first[s];
            for (int h = 0; h < side->chunks; h++) {
                const int64_t here = side->cursor[(size_t)h * buckets + b];
                side->cursor[(size_t)h * buckets + b] = position;
                position += here;
            }
        }
    }
    return 0;
}

/* Second pass over one chunk: sums the signed places in unmixed cells, gathers the values of the others. */
static inline void fd_cells_gather(fd_cells *c, int s, int chunk)
{
    fd_side *side = &c->side[s];
    int32_t cell[FD_BATCH], mixed[FD_BATCH];
    double place[FD_BATCH], total = 0.0;
    const double *x;
    int64_t n;
    fd_chunk(side, chunk, &x, &n);
    int64_t *cursor = side->cursor + (size_t)chunk * (size_t)c->buckets;
    for (int64_t i = 0; i < n; i += FD_BATCH) {
        const int length = n - i < FD_BATCH ? (int)(n - i) : FD_BATCH;
        int found = 0;
        double sum[8] = {0.0};
        fd_locate(x + i, length, c->grid, cell, place);
        for (int j = 0; j < length; j++)
            cell[j] = c->kind[cell[j]];
        for (int j = 0; j < length; j++)
            place[j] = cell[j] == FD_POSITIVE ? place[j] : cell[j] == FD_NEGATIVE ? -place[j] : 0.0;
        int j = 0;
        for (; j + 8 <= length; j += 8)
            for (int lane = 0; lane < 8; lane++)
                sum[lane] += place[j + lane];
        for (; j < length; j++)
            sum[0] += place[j];
        total += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
        for (j = 0; j < length; j++) {
            mixed[found] = j;
            found += cell[j] >= 0;
        }
        for (j = 0; j < found; j++)
            side->gathered[cursor[cell[mixed[j]]]++] = x[i + mixed[j]];
    }
    side->place_sum[chunk] = total;
}

/* The area of one bucket; NaN if it holds a NaN or an infinity (only the first and the last can). */
static inline void fd_cells_sweep(fd_cells *c, int32_t b, fd_sort *sort)
{
    fd_bucket *bucket = &c->bucket[b];
    double *u = c->side[0].gathered + bucket->first[0], *v = c->side[1].gathered + bucket->first[1];
    const int64_t n = bucket->count[0], m = bucket->count[1];
    sort(u, n, NULL);
    sort(v, m, NULL);
    double left = bucket->left, right = bucket->right;
    if (left == -INFINITY || right == INFINITY) {
        const double first = !m || (n && u[0] < v[0]) ? u[0] : v[0];
        const double last = !m || (n && u[n - 1] > v[m - 1]) ? u[n - 1] : v[m - 1];
        if (!isfinite(first) || !isfinite(last) || (n && isnan(u[n - 1])) || (m && isnan(v[m - 1]))) {
            bucket->area = NAN;
            return;
        }
        left = left == -INFINITY ? first : left;
        right = right == INFINITY ? last : right;
    }
    bucket->area = fd_area_between_f64(u, n, v, m, c->side[0].weight, c->side[1].weight, bucket->difference,
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
    for (int32_t b = 0; b < c->buckets; b++)
        fd_add(&total, c->bucket[b].area);
    const double n = (double)c->side[0].n, m = (double)c->side[1].n;
    fd_add(&total, c->grid.width * (0.5 * c->unmixed - places[0] / n + places[1] / m));
    return fd_total(total);
}

#endif

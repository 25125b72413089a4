/* Sorting of values that lie more or less evenly: compiled once per instruction set. sort.c has the method. */
#ifndef FD_SORT_LOOPS_H
#define FD_SORT_LOOPS_H

#include <stdint.h>
#include <string.h>

#include "transport/sort.h"
#include "transport/table.h"

/* Places in [0, cells): scale > 0 with (x - low) scale the place. 0: some value is not finite, all are equal, or
 * the range is no double. */
static inline double fd_spread_of(const double *x, int64_t n, double cells, double *low) {
    double high;
    const int finite = fd_range_of(x, n, low, &high);
    const double scale = (cells - 1.0) / (high - *low);
    return finite && scale > 0.0 && scale < 0x1p900 ? scale : 0.0;
}

/* Differences, products and conversions keep the order of values: of two in different cells the smaller lies in
 * the lower one. */
static inline void fd_spread_places(const double *x, int n, double low, double scale, uint16_t *at) {
    for (int i = 0; i < n; i++)
        at[i] = (uint16_t)(int32_t)((x[i] - low) * scale);
}

/* Where parts end. */
typedef struct {
    double low, scale; /* of equal width, or where scale = 0 */
    int64_t base, key; /* of logarithms, nearly: parts of 2^shift neighbouring doubles from key on, all of */
    int shift;         /* a magnitude up to that of the bits `base` taken for 0 */
} fd_parting;

/* Rises with x: its bits as an integer. */
static inline int64_t fd_magnitude_key(double x, int64_t base) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int64_t size = (bits & INT64_MAX) - base, above = size > 0 ? size : 0;
    return bits < 0 ? -above : above;
}

static inline void fd_magnitude_places(const double *x, int n, const fd_parting *p, uint16_t *at) {
    const int64_t base = p->base, key = p->key;
    const int shift = p->shift;
    for (int i = 0; i < n; i++)
        at[i] = (uint16_t)(((uint64_t)fd_magnitude_key(x[i], base) - (uint64_t)key) >> shift);
}

static inline void fd_part_places(const double *x, int n, int parts, const fd_parting *p, uint16_t *at) {
    const uint16_t last = (uint16_t)(parts - 1);
    if (p->scale != 0.0)
        fd_spread_places(x, n, p->low, p->scale, at);
    else
        fd_magnitude_places(x, n, p, at);
    for (int i = 0; i < n; i++)
        at[i] = at[i] < last ? at[i] : last;
}

/* Parts for values that lie evenly. 0: they do not suit. */
static int fd_part_evenly(const double *x, int64_t n, int parts, fd_parting *p) {
    p->scale = fd_spread_of(x, n, (double)parts, &p->low);
    return p->scale != 0.0;
}

/* Parts for values that heap up at one end or in the middle, whose magnitudes are mostly `least` or more. */
static int fd_part_by_magnitude(const double *x, int64_t n, int parts, double least, fd_parting *p) {
    double low, high;
    p->base = fd_magnitude_key(least, 0);
    if (!fd_range_of(x, n, &low, &high))
        return 0;
    p->key = fd_magnitude_key(low, p->base);
    const uint64_t range = (uint64_t)fd_magnitude_key(high, p->base) - (uint64_t)p->key;
    while (range >> p->shift >= (uint64_t)parts)
        p->shift++;
    return 1;
}

enum { FD_ABREAST = 32, FD_TURN = 4 * FD_ABREAST }; /* of cells: lanes that fill registers */

/* Where each cell begins, from how many values it holds. Cell k is kept in row k % rows of lane k / rows, so that
 * the sums run down all lanes at once; four rows at a time, since a sum goes through memory. */
static inline void fd_cells_begin(uint16_t *cell, int cells) {
    uint16_t sum[FD_ABREAST] = {0};
    for (int i = 0; i < cells; i += FD_TURN) {
        const uint16_t *a = cell + i, *b = a + FD_ABREAST, *c = b + FD_ABREAST, *d = c + FD_ABREAST;
        for (int k = 0; k < FD_ABREAST; k++)
            sum[k] = (uint16_t)(sum[k] + a[k] + b[k] + c[k] + d[k]);
    }
    uint16_t before = 0;
    for (int k = 0; k < FD_ABREAST; k++) {
        const uint16_t count = sum[k];
        sum[k] = before;
        before = (uint16_t)(before + count);
    }
    for (int i = 0; i < cells; i += FD_TURN) {
        uint16_t *a = cell + i, *b = a + FD_ABREAST, *c = b + FD_ABREAST, *d = c + FD_ABREAST;
        for (int k = 0; k < FD_ABREAST; k++) {
            const uint16_t first = sum[k], second = (uint16_t)(first + a[k]),
                           third = (uint16_t)(second + b[k]), fourth = (uint16_t)(third + c[k]);
            sum[k] = (uint16_t)(fourth + d[k]);
            a[k] = first;
            b[k] = second;
            c[k] = third;
            d[k] = fourth;
        }
    }
}

/* Sorts what is nearly sorted. Most that is not are neighbours that want to change places: the larger of two waits
 * in a register, which takes no branch. */
static inline void fd_put_right(double *x, int n) {
    double waiting = x[0], last = x[0];
    for (int i = 1; i < n; i++) {
        const double value = x[i], less = value < waiting ? value : waiting;
        waiting = value < waiting ? waiting : value;
        if (less < last) {
            fd_insert(less, x, i - 1);
        } else {
            x[i - 1] = less;
            last = less;
        }
    }
    fd_insert(waiting, x, n - 1);
}

/* Sorts up to FD_SORT_FEW values into `out`: cells are of equal width, or where least > 0 by magnitude. 0: too many
 * share a cell, or they do not suit. The pairs of values in one cell bound the moves of the insertion: 3 n / 2. */
static int fd_sort_few(const double *restrict x, int n, double least, double *restrict out,
                       uint16_t *restrict room) {
    const int cells = fd_sort_cells(n), rows = cells / FD_ABREAST, shift = __builtin_ctz((unsigned)rows);
    uint16_t *cell = room, *at = room + cells;
    fd_parting p = {0};
    if (!(least > 0.0 ? fd_part_by_magnitude(x, n, cells, least, &p) : fd_part_evenly(x, n, cells, &p)))
        return 0;
    if (least > 0.0)
        fd_magnitude_places(x, n, &p, at);
    else
        fd_spread_places(x, n, p.low, p.scale, at);
    for (int i = 0; i < n; i++)
        at[i] = (uint16_t)((at[i] & (rows - 1)) * FD_ABREAST + ((at[i] >> shift) & (FD_ABREAST - 1)));
    memset(cell, 0, (size_t)cells * sizeof *cell);
    int64_t pairs = 0;
    int i = 0;
    for (; i < n / 8; i++)
        pairs += cell[at[i]]++;
    if (128 * pairs > 3 * n + 768) /* seen early where it is so */
        return 0;
    for (; i < n; i++)
        pairs += cell[at[i]]++;
    if (2 * pairs > 3 * n)
        return 0;
    fd_cells_begin(cell, cells);
    for (i = 0; i < n; i++)
        out[cell[at[i]]++] = x[i];
    fd_put_right(out, n);
    return 1;
}

/* Scatters values to `parts` parts, of which the k-th ends at end[k]: of equal width, or where least > 0 by
 * magnitude. `out` has room for one more: if another thread changes x meanwhile, places are wrong, but lie within. 0: a quarter of them or more lie in parts of more than FD_SORT_FEW, or they do not suit. */
static int fd_sort_parts(const double *restrict x, int64_t n, double least, double *restrict out,
                         int64_t *restrict end, int parts) {
    enum { BLOCK = 512 };
    uint16_t at[BLOCK];
    fd_parting p = {0};
    if (!(least > 0.0 ? fd_part_by_magnitude(x, n, parts, least, &p) : fd_part_evenly(x, n, parts, &p)))
        return 0;
    memset(end, 0, (size_t)parts * sizeof *end);
    int64_t tested = n / 16 / BLOCK * BLOCK;
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int length = n - i < BLOCK ? (int)(n - i) : BLOCK;
        fd_part_places(x + i, length, parts, &p, at);
        for (int j = 0; j < length; j++)
            end[at[j]]++;
        if (i + length != tested && i + length != n)
            continue;
        int64_t crowded = 0;
        for (int k = 0; k < parts; k++)
            crowded += end[k] > FD_SORT_FEW / (n / (i + length)) ? end[k] : 0;
        if (4 * crowded > i + length)
            return 0;
    }
    int64_t sum = 0;
    for (int k = 0; k < parts; k++) {
        const int64_t count = end[k];
        end[k] = sum;
        sum += count;
    }
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int length = n - i < BLOCK ? (int)(n - i) : BLOCK;
        fd_part_places(x + i, length, parts, &p, at);
        for (int j = 0; j < length; j++) {
            const int64_t to = end[at[j]];
            end[at[j]] = to + (to < n);
            out[to] = x[i + j];
        }
    }
    return 1;
}

#endif

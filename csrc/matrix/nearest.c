/* The k nearest rows, exactly: by a bound that is cheap and never above the value, and by the value itself of
 * those rows whose bound does not rule them out.
 *
 * Jensen-Shannon, in bits: D >= h^2 = 1 - sum sqrt(p q), the squared Hellinger distance, a matrix product. It
 *     holds bin by bin: JS/h^2 in nats is 1 where the two masses agree and falls to ln 2 where one is 0. Of
 *     unrelated rows D is well above h^2, and many rows may have an h^2 below the k-th smallest D. Of those a second
 *     bound is taken one by one, which is less work than a value:
 *         D >= A h^2 - B (1 - sum (p^(1/4) q^(3/4) + p^(3/4) q^(1/4))/2),    A = 3.8, B = 3.26,
 *     which by each bin is 0.94 D where the two masses agree, 0.998 D where one is 0.024 of the other and 0.54 D where
 *     one is 0 (tests/matrix/test_bounds.py).
 * Sums of |a_i - b_i| (total variation, transport): D is at least the same sum over FD_LANES groups of bins
 *     added up first, by the triangle inequality.
 *
 * What rounding may take from a bound is taken off it; a row without a bound (FD_SPECIAL, FD_VOID) is always
 * looked at. Measures that are a matrix product themselves need no bound: their values are as cheap.
 */
#include "matrix/matrix.h"

#include <math.h>

/* Whether neighbour (a, i) comes before (b, j): the smaller value, then the smaller index; NaN last. */
static int fd_before(double a, ptrdiff_t i, double b, ptrdiff_t j) {
    if (a != a || b != b)
        return a != a && b != b ? i < j : a == a;
    return a == b ? i < j : a < b;
}

/* Puts a neighbour into a sorted list of at most k. */
static void fd_take(double *values, ptrdiff_t *indices, ptrdiff_t *count, ptrdiff_t k, double value,
                    ptrdiff_t index) {
    ptrdiff_t at = *count;
    if (at < k)
        *count += 1;
    else if (!fd_before(value, index, values[--at], indices[k - 1]))
        return;
    for (; at > 0 && fd_before(value, index, values[at - 1], indices[at - 1]); at--) {
        values[at] = values[at - 1];
        indices[at] = indices[at - 1];
    }
    values[at] = value;
    indices[at] = index;
}

void fd_take_row(const double *row, ptrdiff_t n, int single, ptrdiff_t k, double *values, ptrdiff_t *indices,
                 ptrdiff_t *count) {
    for (ptrdiff_t j = 0; j < n; j++)
        fd_take(values, indices, count, k, single ? (double)(float)row[j] : row[j], j);
}

/* The D above which a row cannot come into the list. A value is off by the tolerance at most. */
static double fd_reach(const fd_plan *plan, const double *values, ptrdiff_t count, ptrdiff_t k) {
    double worst = count < k ? INFINITY : values[k - 1];
    if (!(worst < INFINITY))
        return INFINITY;
    double d = (plan->finish.root ? worst * worst : worst) / plan->finish.unit_hi;
    return d * (plan->single ? 1.0 + 0x1p-15 : 1.0 + 0x1p-38) + 0x1p-1000;
}

static double fd_value(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    double value = fd_pair_value(plan, a, i, b, j);
    return plan->single ? (double)(float)value : value;
}

/* Lower bounds of D for rows [i, i + n_i) against rows [j, j + n). */
static void fd_overlap_bounds(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b,
                              ptrdiff_t j, ptrdiff_t n, double *bounds) {
    enum { COLUMNS = 512 };
    float overlaps[FD_QUERIES * COLUMNS];
    /* in single precision: the roots are rounded, then the products' sums */
    double slack = ((double)FD_DOT_BLOCK + 8.0 + (double)plan->width / FD_DOT_BLOCK) * 0x1p-24;
    ptrdiff_t w = plan->width;
    for (ptrdiff_t start = 0; start < n; start += COLUMNS) {
        int size = (int)(n - start < COLUMNS ? n - start : COLUMNS);
        for (int panel = 0; panel < size; panel += FD_LANES)
            fd_tile_loops_now->dot_rows32(a->roots + i * w, w, n_i, b->roots_packed + (j + start + panel) * w,
                                          w, overlaps + panel, COLUMNS, 1);
        for (int row = 0; row < n_i; row++)
            fd_tile_loops_now->overlap_bounds(overlaps + row * COLUMNS, size, slack, a->limit[i + row],
                                              b->limit + j + start, bounds + row * FD_SEGMENT + start);
    }
}

/* The same of sums of absolute differences, by their groups. */
static void fd_group_bounds(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b,
                            ptrdiff_t j, ptrdiff_t n, double *bounds) {
    double grouping = ((double)plan->n_bins / FD_LANES + 8.0) * FD_U, factor = plan->finish.factor;
    for (int row = 0; row < n_i; row++) {
        double *bound = bounds + row * FD_SEGMENT, limit = a->limit[i + row], total = a->total[i + row];
        const double *limits = b->limit + j, *totals = b->total + j;
        fd_tile_loops_now->l1_panels(a->groups + (i + row) * FD_LANES, b->groups_packed + j * FD_LANES, n,
                                     bound);
        for (ptrdiff_t column = 0; column < n; column++) {
            double least = factor * (bound[column] * (1.0 - 0x1p-40) - grouping * (total + totals[column]));
            bound[column] = limit + limits[column] < INFINITY ? least : -1.0;
        }
    }
}

/* Whether the second bound of Jensen-Shannon leaves a row within reach. It is asked no more where it is in vain: `tried`
 * counts how often it was, and `left` how often nothing came of it. */
typedef struct {
    int tried, left;
} fd_second;

static int fd_is_left(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                      double bound, double reach, fd_second *second) {
    ptrdiff_t w = plan->width;
    if (!a->quarters || bound < 0.0 || (second->tried >= 32 && 4 * second->left > 3 * second->tried))
        return 1;
    int is_left = fd_tile_loops_now->js_least(a->quarters + i * w, b->quarters + j * w, w) <= reach;
    second->tried++;
    second->left += is_left;
    return is_left;
}

/* One row's list from the bounds of a segment: first the k of least bound, then what is within reach, each
 * row asked for while the one before it is looked at. 0: the bounds rule too few out, nothing more was done.
 */
static int fd_refine(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                     ptrdiff_t n, double *bounds, ptrdiff_t k, double *values, ptrdiff_t *indices,
                     ptrdiff_t *count, double *first, ptrdiff_t *first_indices) {
    ptrdiff_t n_first = 0, n_wanted = k < n ? k : n, row_bytes = plan->width * (ptrdiff_t)sizeof(double);
    fd_second second = {0, 0};
    int places[FD_SEGMENT];
    if (*count < k)
        for (ptrdiff_t column = 0; column < n; column++)
            if (n_first < n_wanted || bounds[column] < first[n_wanted - 1])
                fd_take(first, first_indices, &n_first, n_wanted, bounds[column], column);
    for (ptrdiff_t place = 0; place < n_first; place++) {
        ptrdiff_t column = first_indices[place];
        fd_take(values, indices, count, k, fd_value(plan, a, i, b, j + column), j + column);
        bounds[column] = NAN; /* within no reach */
    }
    double reach = fd_reach(plan, values, *count, k);
    int n_places = fd_tile_loops_now->within(bounds, (int)n, reach, places);
    if (n_places >
        (plan->form == FD_FORM_JS ? 0.75 : 0.25) * (double)n) { /* a row by itself costs 1.2, 3 times more */
        for (int place = 0; place < 32 && place < n_places; place++) {
            int column = places[place * (ptrdiff_t)n_places / 32];
            fd_is_left(plan, a, i, b, j + column, bounds[column], reach, &second);
        }
        if (2 * second.left >= second.tried)
            return 0;
    }
    for (int place = 0; place < n_places; place++) {
        ptrdiff_t column = places[place];
        if (place + 1 < n_places && b->quarters) {
            fd_fetch(b->quarters + (j + places[place + 1]) * plan->width,
                     row_bytes < 8192 ? row_bytes / 2 : 4096);
        } else if (place + 1 < n_places) {
            fd_fetch(b->left + (j + places[place + 1]) * plan->width, row_bytes < 4096 ? row_bytes : 4096);
            if (plan->few)
                fd_fetch(b->left_too + (j + places[place + 1]) * plan->width, row_bytes);
        }
        if (bounds[column] <= reach &&
            fd_is_left(plan, a, i, b, j + column, bounds[column], reach, &second)) {
            fd_take(values, indices, count, k, fd_value(plan, a, i, b, j + column), j + column);
            reach = fd_reach(plan, values, *count, k);
        }
    }
    return 1;
}

/* All of a segment for some rows, tile by tile; `bounds` are NaN for rows that were looked at before. */
static void fd_take_all(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const uint8_t *wanted,
                        const fd_side *b, ptrdiff_t j, ptrdiff_t n, const double *bounds, ptrdiff_t k,
                        double *values, ptrdiff_t *indices, ptrdiff_t *counts) {
    double tiles[FD_QUERIES * FD_TILE], scratch[FD_QUERIES * FD_TILE];
    for (ptrdiff_t start = 0; start < n; start += FD_TILE) {
        int size = (int)(n - start < FD_TILE ? n - start : FD_TILE);
        for (int first = 0, end = 0; first < n_i;
             first = end + 1) { /* rows next to one another go together */
            for (end = first; end < n_i && wanted[end]; end++)
                ;
            if (end > first)
                fd_tile(plan, a, i + first, end - first, b, j + start, size, tiles + first * FD_TILE,
                        scratch);
        }
        for (int row = 0; row < n_i; row++) {
            if (!wanted[row])
                continue;
            const double *bound = bounds + row * FD_SEGMENT + start, *tile = tiles + row * FD_TILE;
            double worst = counts[row] < k ? INFINITY : values[row * k + k - 1]; /* sooner than fd_take */
            for (int column = 0; column < size; column++) {
                double value = plan->single ? (double)(float)tile[column] : tile[column];
                if (bound[column] == bound[column] && !(value > worst))
                    fd_take(values + row * k, indices + row * k, counts + row, k, value, j + start + column);
            }
        }
    }
}

/* One row's list from the values of tiles. */
static void fd_scan(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b,
                    ptrdiff_t j, ptrdiff_t n, ptrdiff_t k, double *values, ptrdiff_t *indices,
                    ptrdiff_t *counts, double *space) {
    for (ptrdiff_t start = 0; start < n; start += FD_TILE) {
        int n_j = (int)(n - start < FD_TILE ? n - start : FD_TILE);
        fd_tile(plan, a, i, n_i, b, j + start, n_j, space, space + FD_TILE * FD_TILE);
        for (int row = 0; row < n_i; row++)
            for (int column = 0; column < n_j; column++) {
                double value = space[row * FD_TILE + column];
                if (plan->single)
                    value = (double)(float)value;
                fd_take(values + row * k, indices + row * k, counts + row, k, value, j + start + column);
            }
    }
}

void fd_nearest(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b, ptrdiff_t j,
                ptrdiff_t n, ptrdiff_t k, double *values, ptrdiff_t *indices, ptrdiff_t *counts,
                double *space, double *first, ptrdiff_t *first_indices) {
    if (!a->roots && !a->groups) {
        fd_scan(plan, a, i, n_i, b, j, n, k, values, indices, counts, space);
        return;
    }
    uint8_t all[FD_QUERIES] = {0};
    int any = 0;
    (a->roots ? fd_overlap_bounds : fd_group_bounds)(plan, a, i, n_i, b, j, n, space);
    for (int row = 0; row < n_i; row++) {
        all[row] = !fd_refine(plan, a, i + row, b, j, n, space + row * FD_SEGMENT, k, values + row * k,
                              indices + row * k, counts + row, first, first_indices);
        any |= all[row];
    }
    if (any)
        fd_take_all(plan, a, i, n_i, all, b, j, n, space, k, values, indices, counts);
}

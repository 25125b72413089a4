/* Rows of a matrix made ready for tiles (matrix.h): read once, divided by their sums, in the form that the loops of
 * tiles (tile_loops.h) take.
 *
 * A row whose shares span more than those loops can take is found out while its shares are made. It has zeros for what
 * was written by then, as a row that is none, and these are never used: its limit is infinite.
 */
#include "matrix/matrix.h"

#include <string.h>

#include "rows/far.h"
#include "rows/turn.h"
#include "rows/weigh.h"

int fd_side_rooms(const fd_plan *plan, const fd_side *side, int is_left, int is_right, int bounds,
                  fd_room *rooms) {
    ptrdiff_t n = side->n_rows, rows = (n + FD_LANES) / FD_LANES * FD_LANES + FD_LANES;
    ptrdiff_t whole = rows * plan->width, blocks = rows * fd_js_blocks(plan->width) * FD_LANES;
    ptrdiff_t real = sizeof(double), single = sizeof(float);
    int js = plan->form == FD_FORM_JS, l1 = plan->form == FD_FORM_L1, dots = plan->form == FD_FORM_DOTS;
    int dot = fd_is_product(plan), logs = plan->options.log_input != 0.0, count = 0;
    int few = plan->few, blocked = js && !few, js32 = plan->js32, rooted = js;
    int groups = bounds && l1 && !logs; /* that bound knows nothing of blur */
    /* of which is written, whatever the rows are: rows, panels that are full, blocks */
    ptrdiff_t rows_done = n * plan->width, panels_done = n / FD_LANES * FD_LANES * plan->width;
    ptrdiff_t blocks_done = n * fd_js_blocks(plan->width) * FD_LANES;
#define FD_WANT_BUT(array, when, bytes, written)                                                             \
    if (when)                                                                                                \
    rooms[count++] = (fd_room){offsetof(fd_side, array), bytes, written}
#define FD_WANT(array, when, bytes) FD_WANT_BUT(array, when, bytes, 0)
    FD_WANT_BUT(left, js || l1 || (dot && is_left), whole * real, rows_done * real);
    FD_WANT_BUT(right, (dot || few) && is_right, whole * real, panels_done * real);
    FD_WANT_BUT(left_too, few || (dots && is_left), whole * real, rows_done * real);
    FD_WANT_BUT(right_too, (dots || few) && is_right, whole * real, panels_done * real);
    FD_WANT_BUT(blocks, blocked, blocks * real, blocks_done * real);
    FD_WANT_BUT(left32, js32, whole * single, rows_done * single);
    FD_WANT_BUT(blocks32, js32, blocks * single, blocks_done * single);
    FD_WANT(roots, rooted && bounds && is_left, whole * single);
    FD_WANT(roots_packed, rooted && bounds && is_right, whole * single);
    FD_WANT(quarters, blocked && bounds, whole * single);
    FD_WANT(groups, groups && is_left, rows * FD_LANES * real);
    FD_WANT(groups_packed, groups && is_right, rows * FD_LANES * real);
    FD_WANT(blur, logs, n * real);
    FD_WANT(constant, 1, n * real);
    FD_WANT(limit, 1, n * real);
    FD_WANT(total, 1, n * real);
    FD_WANT(total_lo, 1, n * real);
    FD_WANT(support, plan->needs_support, n * fd_support_words(plan->n_bins) * (ptrdiff_t)sizeof(uint64_t));
    FD_WANT(gaps, 1, n);
    FD_WANT(kind, 1, n);
#undef FD_WANT
#undef FD_WANT_BUT
    return count;
}

/* Bins [start, start + n) as masses, which add to r->sum. */
static const double *fd_block_of_masses(const fd_row_reader *r, ptrdiff_t start, ptrdiff_t n, double *copy) {
    const double *x = fd_block(r, start, n, copy);
    if (!r->logs)
        return x;
    fd_row_loops_now->exp(x, n, r->max, r->log, copy);
    return copy;
}

/* How many entries of a block that begins with bin `start`, with those that pad it. */
static int fd_padded(const fd_plan *plan, ptrdiff_t start) {
    return (int)(plan->width - start < FD_BLOCK ? plan->width - start : FD_BLOCK);
}

/* Where entry k of row i is in panels. */
static ptrdiff_t fd_packed(ptrdiff_t i, ptrdiff_t k, ptrdiff_t width) {
    return (i / FD_LANES * width + k) * FD_LANES + i % FD_LANES;
}

static void fd_pack(double *panels, ptrdiff_t width, ptrdiff_t i, ptrdiff_t start, const double *x,
                    int size) {
    double *out = panels + fd_packed(i, start, width);
    for (int k = 0; k < size; k++)
        out[(ptrdiff_t)k * FD_LANES] = x[k];
}

static void fd_prepare_few(const fd_plan *plan, const fd_side *side, ptrdiff_t i, const fd_shares *s) {
    ptrdiff_t w = plan->width;
    double *half = side->left + i * w, *terms = side->left_too + i * w, size = 0.0;
    fd_tile_loops_now->js_terms(s, (int)w, half, terms);
    for (ptrdiff_t k = 0; k < w; k++)
        size += fabs(terms[k]);
    side->limit[i] += 2.0 * size / plan->scale;
    if (side->right) {
        fd_pack(side->right, w, i, 0, half, (int)w);
        fd_pack(side->right_too, w, i, 0, terms, (int)w);
    }
}

static void fd_prepare_js(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int padded,
                          const fd_shares *s) {
    ptrdiff_t row = i * plan->width + start;
    ptrdiff_t block = (i * fd_js_blocks(plan->width) + start / FD_JS_BLOCK) * FD_LANES;
    double size = fd_tile_loops_now->js_shares(s, padded, side->left + row, side->blocks + block,
                                               side->left32 ? side->left32 + row : NULL,
                                               side->left32 ? side->blocks32 + block : NULL);
    side->limit[i] += 2.0 * size / plan->scale;
}

/* A block of bins of up to FD_TURNED rows, row by row: their two factors, of which the second is of FD_FORM_DOTS. */
typedef struct {
    double factors[2][FD_TURNED][FD_BLOCK];
} fd_ready;

/* Into panels: FD_TURNED neighbours of one at once, or row by row. */
static void fd_pack_ready(const fd_plan *plan, const fd_side *side, ptrdiff_t first, int rows,
                          ptrdiff_t start, int padded, const fd_ready *ready) {
    double *panels[2] = {side->right, side->right_too};
    int is_whole = rows == FD_TURNED && first % FD_TURNED == 0;
    for (int f = 0; f < 2 && panels[f]; f++) {
        if (is_whole)
            fd_tile_loops_now->turn(ready->factors[f][0], FD_BLOCK, padded,
                                    panels[f] + fd_packed(first, start, plan->width));
        for (int k = 0; k < rows && !is_whole; k++)
            fd_pack(panels[f], plan->width, first + k, start, ready->factors[f][k], padded);
    }
}

static void fd_prepare_dot(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int padded,
                           fd_shares *s, double *first, double *second) {
    double known = fd_tile_loops_now->factors(plan->measure, plan->options.alpha, s, padded);
    const double *left = s->p, *right = s->log;
    ptrdiff_t at = i * plan->width + start;
    if (plan->measure == FD_renyi_divergence)
        side->limit[i] = fmax(side->limit[i], known);
    else if (side->left || plan->measure == FD_jeffreys_divergence) /* of q, KL knows nothing */
        side->constant[i] += known;
    const size_t bytes = (size_t)padded * sizeof(double);
    if (side->left)
        memcpy(side->left + at, left, bytes);
    if (side->left_too)
        memcpy(side->left_too + at, right, bytes);
    if (side->right)
        memcpy(first, right, bytes);
    if (side->right_too)
        memcpy(second, left, bytes);
}

static void fd_note_support(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                            const fd_shares *s) {
    uint64_t *words = side->support + i * fd_support_words(plan->n_bins) + start / 64;
    const double *p = s->p;
    for (int first = 0; first < size; first += 64, p += 64) {
        int n = size - first < 64 ? size - first : 64;
        uint64_t bits = UINT64_MAX >> (64 - n);
        for (int k = 0; k < n && s->any_empty; k++)
            bits &= ~((uint64_t)!(p[k] > 0.0) << k);
        words[first / 64] = bits;
    }
    side->gaps[i] |= s->any_empty;
}

/* Roots of shares: the bounds of Jensen-Shannon (nearest.c). */
static void fd_prepare_roots(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                             const double *p) {
    float roots[FD_BLOCK];
    fd_tile_loops_now->roots(p, size, roots,
                             side->quarters ? side->quarters + i * plan->width + start : NULL);
    if (side->roots)
        memcpy(side->roots + i * plan->width + start, roots, (size_t)size * sizeof *roots);
    if (!side->roots_packed)
        return;
    float *packed = side->roots_packed + fd_packed(i, start, plan->width);
    for (int k = 0; k < size; k++)
        packed[(ptrdiff_t)k * FD_LANES] = roots[k];
}

/* The shares of a block of bins; the factors of a product to `first` and `second`. 0: the row spans more than the loops
 * can take. */
static int fd_prepare_shares(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start,
                             const fd_row_reader *r, double *first, double *second) {
    ptrdiff_t n = plan->n_bins;
    int with_logs = plan->measure != FD_hellinger_distance && plan->measure != FD_chi_square;
    int size = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
    int padded = fd_padded(plan, start);
    fd_shares shares;
    double copy[FD_BLOCK];
    const double *x = fd_block_of_masses(r, start, size, copy);
    double least = fd_tile_loops_now->shares(x, size, padded, r->sum, plan->scale, with_logs, &shares);
    if (!(least >= FD_SHARE_MIN))
        return 0;
    if (side->support)
        fd_note_support(plan, side, i, start, size, &shares);
    if (plan->few)
        fd_prepare_few(plan, side, i, &shares);
    else if (plan->form == FD_FORM_JS)
        fd_prepare_js(plan, side, i, start, padded, &shares);
    else
        fd_prepare_dot(plan, side, i, start, padded, &shares, first, second);
    if (plan->measure == FD_renyi_divergence && !(side->limit[i] < FD_POWER_MAX))
        return 0;
    if (side->roots || side->roots_packed)
        fd_prepare_roots(plan, side, i, start, size, shares.p);
    return 1;
}

/* Shares for total variation; for transport gap-weighted cumulative shares, each rounded once from a
 * double-double sum, so that rows end in exactly the same 1; samples as they are. */
static void fd_prepare_l1(const fd_plan *plan, const fd_side *side, ptrdiff_t i, const fd_row_reader *r) {
    double size = 0.0, copy[FD_BLOCK], total = r->sum;
    fd_sum mass = {0};
    double *row = side->left + i * plan->width;
    ptrdiff_t n = plan->n_bins, group = (n + FD_LANES - 1) / FD_LANES;
    memset(row + n - 1, 0, (size_t)(plan->width - n + 1) * sizeof *row);
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        int block = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
        const double *x = fd_block_of_masses(r, start, block, copy);
        const double *place = plan->support ? plan->support + start : NULL;
        double *out = row + start;
        int padded = fd_padded(plan, start);
        if (plan->measure == FD_SAMPLES)
            memcpy(out, x, (size_t)block * sizeof *x);
        else if (plan->measure == FD_total_variation) {
            fd_tile_loops_now->divide(x, block, total, NULL, out);
        } else {
            int gaps = start + block < n ? block : block - 1; /* nothing crosses the last bin */
            fd_tile_loops_now->cumulate(x, gaps, &mass, out);
            fd_tile_loops_now->divide(out, gaps, total, place, out);
        }
        size += fd_tile_loops_now->size(out, padded);
    }
    for (ptrdiff_t g = 0; g < FD_LANES && (side->groups || side->groups_packed); g++) {
        double sum = 0.0;
        for (ptrdiff_t k = g * group; k < (g + 1) * group && k < n; k++)
            sum += row[k];
        if (side->groups)
            side->groups[i * FD_LANES + g] = sum;
        if (side->groups_packed)
            side->groups_packed[fd_packed(i, g, FD_LANES)] = sum;
    }
    side->total[i] = size;
    side->limit[i] = plan->measure != FD_SAMPLES ? size : size <= 0x1p1020 ? 0.0 : INFINITY;
}

/* The row's kind (matrix.h), and where shares of it are still to be made its reader; of others `shared` is 0. */
static int fd_prepare_kind(const fd_plan *plan, const fd_side *side, ptrdiff_t i, fd_row_reader *reader,
                           int *shared) {
    ptrdiff_t n = plan->n_bins;
    fd_row_reader r = fd_reader(fd_row_view(side, i), &plan->options);
    *shared = 0;
    if (plan->measure == FD_SAMPLES) { /* of which those that are not finite have no limit */
        r.sum = 1.0;
        if (plan->form == FD_FORM_L1)
            fd_prepare_l1(plan, side, i, &r);
        return FD_PLAIN;
    }
    if (plan->form == FD_FORM_PAIRS)
        return fd_weigh_any(&r, n) ? FD_PLAIN : FD_VOID;
    double total_lo = NAN; /* rows of logarithms have no masses to read again */
    if (r.logs) {
        if (!fd_log_weigh(&r, n))
            return FD_VOID;
        double span = (r.max - fd_least_log(&r, n)) + r.log; /* -log of the least share above 0 */
        side->blur[i] = (2.0 * span + 2.0 * r.log + 4.0) * FD_U;
        if (!(span <= 270.0)) /* FD_SHARE_MIN */
            return FD_SPECIAL;
    } else {
        if (r.add > 0.0 && !fd_is_row_before(&r, n))
            return FD_VOID;
        fd_stats stats = fd_row_stats(&r, n, 1);
        if (stats.sum_hi != stats.sum_hi) /* of a sum beyond the doubles, too */
            stats = fd_row_stats(&r, n, 0);
        if (!fd_take_mass(&r, n, stats) || r.sum == 0.0)
            return FD_VOID;
        if (!(r.sum >= FD_MASS_MIN && r.sum <= 0x1p900))
            return FD_SPECIAL;
        total_lo = fd_is_ordinary(&r) ? r.sum_lo : NAN;
    }
    if (plan->form == FD_FORM_L1) { /* whose sums take shares however small */
        fd_prepare_l1(plan, side, i, &r);
        return FD_PLAIN;
    }
    side->total[i] = r.sum;
    side->total_lo[i] = total_lo;
    *reader = r;
    *shared = 1;
    return FD_PLAIN;
}

/* Zeros from entry `start` of a row on in what a product or few bins take. */
static void fd_clear_from(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start) {
    ptrdiff_t w = plan->width;
    double *rows[] = {side->left, side->left_too}, *panels[] = {side->right, side->right_too};
    for (int f = 0; f < 2; f++) {
        if (rows[f])
            memset(rows[f] + i * w + start, 0, (size_t)(w - start) * sizeof(double));
        for (ptrdiff_t k = start; k < w && panels[f]; k++)
            panels[f][fd_packed(i, k, w)] = 0.0;
    }
}

/* Zeros for a row that is not FD_PLAIN, where its arrays do not begin as such (fd_side_rooms). */
static void fd_clear_row(const fd_plan *plan, const fd_side *side, ptrdiff_t i) {
    ptrdiff_t w = plan->width, blocks = fd_js_blocks(w) * FD_LANES;
    fd_clear_from(plan, side, i, 0);
    if (side->blocks)
        memset(side->blocks + i * blocks, 0, (size_t)blocks * sizeof(double));
    if (side->left32) {
        memset(side->left32 + i * w, 0, (size_t)w * sizeof(float));
        memset(side->blocks32 + i * blocks, 0, (size_t)blocks * sizeof(float));
    }
}

/* A block of bins of up to FD_TURNED rows, of which those have zeros in panels that are not `shared`, or no longer. */
static void fd_prepare_block(const fd_plan *plan, const fd_side *side, ptrdiff_t first, int rows,
                             ptrdiff_t start, const fd_row_reader *readers, int *shared) {
    fd_ready ready;
    int factors = !fd_is_product(plan) || !side->right ? 0 : side->right_too ? 2 : 1;
    for (int k = 0; k < rows; k++) {
        if (shared[k] && !fd_prepare_shares(plan, side, first + k, start, &readers[k], ready.factors[0][k],
                                            ready.factors[1][k])) {
            side->kind[first + k] = FD_SPECIAL;
            shared[k] = 0;
        }
        for (int f = 0; f < factors && !shared[k]; f++)
            memset(ready.factors[f][k], 0, sizeof ready.factors[f][k]);
    }
    if (factors)
        fd_pack_ready(plan, side, first, rows, start, fd_padded(plan, start), &ready);
}

void fd_prepare_rows(const fd_plan *plan, const fd_side *side, ptrdiff_t first, int rows) {
    fd_row_reader readers[FD_LANES];
    int shared[FD_LANES];
    ptrdiff_t n = plan->n_bins;
    for (int k = 0; k < rows; k++) {
        ptrdiff_t i = first + k;
        side->limit[i] = side->constant[i] = 0.0;
        side->kind[i] = (uint8_t)fd_prepare_kind(plan, side, i, &readers[k], &shared[k]);
    }
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK)
        for (int k = 0; k < rows; k += FD_TURNED)
            fd_prepare_block(plan, side, first + k, rows - k < FD_TURNED ? rows - k : FD_TURNED, start,
                             readers + k, shared + k);
    for (ptrdiff_t i = first; i < first + rows; i++) {
        int is_plain = side->kind[i] == FD_PLAIN;
        if (!is_plain)
            fd_clear_row(plan, side, i);
        else if (fd_is_product(plan))
            fd_clear_from(plan, side, i, (n + FD_LANES - 1) / FD_LANES * FD_LANES);
        side->limit[i] = is_plain ? fd_limit(plan, side->limit[i], side->constant[i], FD_DENSE) : INFINITY;
        if (side->blur)
            side->limit[i] += fd_blur_limit(plan, side->blur[i]);
    }
}

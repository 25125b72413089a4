/* Rows of a matrix made ready for tiles (matrix.h): read once, divided by their sums, in the form that the loops of
 * tiles (tile_loops.h) take.
 *
 * A row whose shares span more than those loops can take is found out while its shares are made, so what was
 * written for it by then is some number or NaN, and never used: its limit is infinite.
 */
#include "matrix/matrix.h"

#include <string.h>

#include "rows/far.h"
#include "rows/weigh.h"

int fd_side_rooms(const fd_plan *plan, const fd_side *side, int is_left, int is_right, int bounds,
                  fd_room *rooms) {
    ptrdiff_t n = side->n_rows, rows = (n + FD_LANES) / FD_LANES * FD_LANES + FD_LANES;
    ptrdiff_t whole = rows * plan->width, blocks = rows * fd_js_blocks(plan->width) * FD_LANES;
    ptrdiff_t real = sizeof(double), single = sizeof(float);
    int js = plan->form == FD_FORM_JS, l1 = plan->form == FD_FORM_L1, dots = plan->form == FD_FORM_DOTS;
    int dot = dots || plan->form == FD_FORM_DOT, logs = plan->options.log_input != 0.0, count = 0;
    int few = plan->few, blocked = js && !few, js32 = plan->js32, rooted = js;
    int groups = bounds && l1 && !logs; /* that bound knows nothing of blur */
#define FD_WANT(array, when, bytes)                                                                          \
    if (when)                                                                                                \
    rooms[count++] = (fd_room){offsetof(fd_side, array), bytes}
    FD_WANT(left, js || l1 || (dot && is_left), whole * real);
    FD_WANT(right, (dot || few) && is_right, whole * real);
    FD_WANT(left_too, few || (dots && is_left), whole * real);
    FD_WANT(right_too, (dots || few) && is_right, whole * real);
    FD_WANT(blocks, blocked, blocks * real);
    FD_WANT(left32, js32, whole * single);
    FD_WANT(blocks32, js32, blocks * single);
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

static void fd_prepare_dot(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start, int size,
                           int padded, fd_shares *s) {
    double known = fd_tile_loops_now->factors(plan->measure, plan->options.alpha, s, padded);
    const double *left = s->p, *right = s->log;
    ptrdiff_t at = i * plan->width + start;
    if (plan->measure == FD_renyi_divergence)
        side->limit[i] = fmax(side->limit[i], known);
    else if (side->left || plan->measure == FD_jeffreys_divergence) /* of q, KL knows nothing */
        side->constant[i] += known;
    if (side->left)
        memcpy(side->left + at, left, (size_t)size * sizeof *left);
    if (side->left_too)
        memcpy(side->left_too + at, right, (size_t)size * sizeof *right);
    if (side->right)
        fd_pack(side->right, plan->width, i, start, right, size);
    if (side->right_too)
        fd_pack(side->right_too, plan->width, i, start, left, size);
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

/* The shares of a block of bins. 0: the row spans more than the loops can take. */
static int fd_prepare_shares(const fd_plan *plan, const fd_side *side, ptrdiff_t i, ptrdiff_t start,
                             const fd_row_reader *r) {
    ptrdiff_t n = plan->n_bins;
    int with_logs = plan->measure != FD_hellinger_distance && plan->measure != FD_chi_square;
    int size = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
    int padded = (int)(plan->width - start < FD_BLOCK ? plan->width - start : FD_BLOCK);
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
        fd_prepare_dot(plan, side, i, start, size, padded, &shares);
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
    double *row = side->left + i * plan->width; /* zeros as yet */
    ptrdiff_t n = plan->n_bins, group = (n + FD_LANES - 1) / FD_LANES;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        int block = (int)(n - start < FD_BLOCK ? n - start : FD_BLOCK);
        const double *x = fd_block_of_masses(r, start, block, copy);
        const double *place = plan->support ? plan->support + start : NULL;
        double *out = row + start;
        int padded = (int)(plan->width - start < FD_BLOCK ? plan->width - start : FD_BLOCK);
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

void fd_prepare_rows(const fd_plan *plan, const fd_side *side, ptrdiff_t first, int rows) {
    fd_row_reader readers[FD_LANES];
    int shared[FD_LANES];
    for (int k = 0; k < rows; k++) {
        ptrdiff_t i = first + k;
        side->limit[i] = side->constant[i] = 0.0;
        side->kind[i] = (uint8_t)fd_prepare_kind(plan, side, i, &readers[k], &shared[k]);
    }
    for (ptrdiff_t start = 0; start < plan->n_bins; start += FD_BLOCK)
        for (int k = 0; k < rows; k++)
            if (shared[k] && !fd_prepare_shares(plan, side, first + k, start, &readers[k])) {
                side->kind[first + k] = FD_SPECIAL;
                shared[k] = 0;
            }
    for (ptrdiff_t i = first; i < first + rows; i++) {
        side->limit[i] = side->kind[i] == FD_PLAIN
                             ? fd_limit(plan, side->limit[i], side->constant[i], FD_DENSE)
                             : INFINITY;
        if (side->blur)
            side->limit[i] += fd_blur_limit(plan, side->blur[i]);
    }
}

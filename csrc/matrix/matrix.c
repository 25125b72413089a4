/* Plans, and tiles of pairs in the fast form; the pairs that it lost digits of (limits.c) are done again. */
#include "matrix/matrix.h"

#include <stdlib.h>

#include "rows/pair.h"

/* ---- plans ------------------------------------------------------------------------------------------- */

fd_form fd_fast_form(int measure) {
    static const fd_form forms[FD_N_MEASURES] = {
#define FD_OWN(name, ...) FD_ROW(name, name, __VA_ARGS__)
#define FD_ROW(name, sum, times, root, unit, symmetric, most, option, again, form, infinite)                 \
    [FD_##name] = FD_FORM_##form,
        FD_SUMMED(FD_OWN) FD_DERIVED(FD_ROW)
#undef FD_OWN
#undef FD_ROW
    };
    return measure < FD_N_MEASURES ? forms[measure] : FD_FORM_L1;
}

void fd_plan_finish(fd_plan *plan) {
    fd_finish *f = &plan->finish;
    *f = (fd_finish){.base = 0.0, .factor = 1.0, .top = INFINITY, .most = DBL_MAX, .unit_hi = 1.0};
    plan->few = plan->form == FD_FORM_JS && plan->n_bins <= FD_FEW_BINS;
    plan->js32 = plan->form == FD_FORM_JS && plan->single && !plan->few;
    ptrdiff_t multiple = plan->few ? 1 : plan->form == FD_FORM_JS ? 2 * FD_LANES : FD_LANES;
    plan->width = (plan->n_bins + multiple - 1) / multiple * multiple;
    if (plan->form != FD_FORM_JS && plan->width > FD_L1_CHUNK && plan->width % FD_L1_CHUNK == 0)
        plan->width += FD_LANES; /* blocks of rows whole pages apart would share a few lines of the caches */
    switch (plan->measure) {
    case FD_js_divergence:
    case FD_js_distance:
        f->factor = 1.0 / plan->scale;
        f->root = plan->measure == FD_js_distance;
        f->top = 1.0 - 1e-13;
        if (plan->js32)
            f->most = 1.0 - 3e-6; /* disjoint or nearly: double precision tells */
        break;
    case FD_kl_divergence:
    case FD_jeffreys_divergence:
        f->factor = -1.0;
        break;
    case FD_hellinger_distance:
        f->base = 1.0;
        f->factor = -1.0;
        f->root = 1;
        break;
    case FD_chi_square:
        f->base = -1.0;
        break;
    case FD_renyi_divergence:
        f->log = 1;
        f->factor = 1.0 / (plan->options.alpha - 1.0);
        f->base = -log2(plan->scale) * f->factor;
        f->most = 400.0 * fabs(f->factor); /* S near the ends of the doubles */
        break;
    case FD_total_variation:
        f->factor = 0.5;
        f->top = 1.0 - 1e-13;
        break;
    case FD_SAMPLES:
        f->factor = 1.0 / (double)plan->n_bins;
        break;
    default:
        break;
    }
    if (plan->measure >= FD_N_MEASURES)
        return;
    const fd_traits *traits = &fd_measures[plan->measure];
    plan->needs_support =
        traits->infinite || (plan->measure == FD_renyi_divergence && plan->options.alpha > 1.0);
    if (traits->in_bits) {
        f->unit_hi = plan->options.unit_hi;
        f->unit_lo = plan->options.unit_lo;
    }
}

/* ---- one pair ---------------------------------------------------------------------------------------- */

/* The finish of a divergence far from the bound that is known by other means. */
static double fd_finish_one(const fd_plan *plan, double d) {
    d = d * plan->finish.unit_hi + d * plan->finish.unit_lo;
    return plan->finish.root ? sqrt(d) : d;
}

/* Whether the first entry in which two rows differ is the larger in p: an order that layout does not change. */
static int fd_is_above(fd_view p, fd_view q, ptrdiff_t n) {
    for (ptrdiff_t k = 0; k < n; k++) {
        double x = fd_entry(&p, k), y = fd_entry(&q, k);
        if (x != y)
            return x > y;
    }
    return 1;
}

/* Jensen-Shannon of near-identical ordinary rows; -1 if they are not, or so near that only fd_row can tell
 * them from equal. The row with the larger sum comes first, so that order does not matter. */
static double fd_js_near_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                              ptrdiff_t j) {
    double sp = a->total[i], sp_lo = a->total_lo[i], sq = b->total[j], sq_lo = b->total_lo[j], sum = 0.0;
    if (sp_lo != sp_lo || sq_lo != sq_lo)
        return -1.0;
    fd_view first = fd_row_view(a, i), second = fd_row_view(b, j);
    if (sp < sq || (sp == sq && !fd_is_above(first, second, plan->n_bins))) {
        fd_view row = first;
        double s = sp, s_lo = sp_lo;
        first = second, sp = sq, sp_lo = sq_lo;
        second = row, sq = s, sq_lo = s_lo;
    }
    if (!(sp > 0x1p-100 && sp < 0x1p500)) /* products of two sums are doubles */
        return -1.0;
    fd_row_reader p = fd_reader(first, &plan->options), q = fd_reader(second, &plan->options);
    double c = sp / sq, c_lo = (fma(-c, sq, sp) + sp_lo - c * sq_lo) / sq, x[FD_CHUNK], y[FD_CHUNK];
    const double none = sp * 0x1p-400; /* nothing beside D sp > 2^-90 sp */
    for (ptrdiff_t start = 0; start < plan->n_bins; start += FD_CHUNK) {
        ptrdiff_t n = plan->n_bins - start < FD_CHUNK ? plan->n_bins - start : FD_CHUNK;
        double part = fd_tile_loops_now->js_near(fd_block(&p, start, n, x), fd_block(&q, start, n, y), n, c,
                                                 c_lo, none);
        if (part < 0.0)
            return -1.0;
        sum += part;
    }
    double d = 0.25 * FD_LOG2_E * sum / sp;
    return d > 0x1p-90 ? fd_finish_one(plan, d) : -1.0;
}

/* Rows of few bins, [j, j + n) against row i: one row, or j a multiple of FD_LANES and room for as many sums. */
static void fd_few_sums(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                        int n, double *sums) {
    ptrdiff_t w = plan->width;
    const double *p = a->left + i * w, *terms = a->left_too + i * w;
    if (n == 1)
        *sums = fd_tile_loops_now->js_few_pair(p, terms, b->left + j * w, b->left_too + j * w, (int)w);
    for (int panel = 0; panel < n && n > 1; panel += FD_LANES)
        fd_tile_loops_now->js_few(p, terms, b->right + (j + panel) * w, b->right_too + (j + panel) * w,
                                  (int)w, sums + panel);
}

/* Rows [j, j + n) against row i; n sums. */
static void fd_js_sums(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                       int n, int look, double *sums) {
    ptrdiff_t w = plan->width, blocks = fd_js_blocks(w) * FD_LANES;
    double part[FD_TILE];
    if (plan->few) {
        fd_few_sums(plan, a, i, b, j, n, sums);
        return;
    }
    for (ptrdiff_t start = 0; start < w; start += FD_CHUNK) {
        ptrdiff_t size = w - start < FD_CHUNK ? w - start : FD_CHUNK, p = i * w + start, q = j * w + start;
        ptrdiff_t p_block = i * blocks + start / FD_JS_BLOCK * FD_LANES;
        ptrdiff_t q_block = j * blocks + start / FD_JS_BLOCK * FD_LANES;
        double *out = start ? part : sums;
        if (plan->js32 && look)
            fd_tile_loops_now->js_rows32(a->left32 + p, a->blocks32 + p_block, b->left32 + q,
                                         b->blocks32 + q_block, w, blocks, n, size, out);
        else
            fd_tile_loops_now->js_rows(a->left + p, a->blocks + p_block, b->left + q, b->blocks + q_block, w,
                                       blocks, n, size, look && w <= FD_CHUNK, out);
        for (int row = 0; row < n && start; row++)
            sums[row] += part[row];
    }
}

/* Rows [j, j + n) against row i in double precision, as far as that holds the tolerance; else -1. */
static void fd_js_double(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j,
                         int n, double *values) {
    double limits[FD_TILE], nothing[FD_TILE] = {0}, share = plan->js32 && !a->blur ? 0x1p-28 : 1.0;
    fd_finish finish = plan->finish;
    finish.most = DBL_MAX;
    for (int column = 0; column < n; column++)
        limits[column] = share * b->limit[j + column];
    fd_js_sums(plan, a, i, b, j, n, 0, values);
    fd_tile_loops_now->finish_row(values, n, &finish, 0.0, share * a->limit[i], nothing, limits);
}

/* Jensen-Shannon once more: in double precision, or by terms of second order, or by fd_row. */
static double fd_js_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    double value = -1.0;
    if (plan->js32)
        fd_js_double(plan, a, i, b, j, 1, &value);
    if (value < 0.0)
        value = fd_js_near_pair(plan, a, i, b, j);
    if (value < 0.0 && !plan->js32)
        fd_js_double(plan, a, i, b, j, 1, &value);
    return value;
}

double fd_exact_pair(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    if (a->kind[i] == FD_VOID || b->kind[j] == FD_VOID)
        return NAN;
    if (plan->measure == FD_SAMPLES)
        return fd_samples_pair(plan, a, i, b, j);
    if (plan->measure == FD_HISTOGRAMS)
        return fd_transport_pair(fd_row_view(a, i), fd_row_view(b, j), plan->support, plan->n_bins,
                                 &plan->options);
    if (plan->form == FD_FORM_JS && a->kind[i] == FD_PLAIN && b->kind[j] == FD_PLAIN) {
        double value = fd_js_pair(plan, a, i, b, j);
        if (value >= 0.0)
            return value;
    }
    return fd_row((fd_measure)plan->measure, fd_row_view(a, i), fd_row_view(b, j), plan->n_bins,
                  &plan->options);
}

/* ---- tiles ------------------------------------------------------------------------------------------- */

/* Whether p has mass where q has none; `both`: or the other way round. */
static int fd_is_violated(const fd_plan *plan, const uint64_t *p, const uint64_t *q, int both) {
    uint64_t only_p = 0, only_q = 0;
    for (ptrdiff_t w = 0; w < fd_support_words(plan->n_bins); w++) {
        only_p |= p[w] & ~q[w];
        only_q |= q[w] & ~p[w];
    }
    return only_p || (both && only_q);
}

/* What the products cannot see: p log(p/0) = inf. Mostly no row has an empty bin. */
static void fd_mark_violations(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                               ptrdiff_t j, int n, double *values) {
    ptrdiff_t words = fd_support_words(plan->n_bins);
    int both = plan->measure == FD_jeffreys_divergence, gaps = both && a->gaps[i];
    for (int column = 0; column < n; column++)
        gaps |= b->gaps[j + column];
    for (int column = 0; column < n && gaps && a->kind[i] == FD_PLAIN; column++)
        if ((b->gaps[j + column] || (both && a->gaps[i])) && b->kind[j + column] == FD_PLAIN &&
            fd_is_violated(plan, a->support + i * words, b->support + (j + column) * words, both))
            values[column] = INFINITY;
}

/* Rows [j, j + n_j) against [i, i + n_i), FD_TILE sums a row; `part` has room for as many. */
static void fd_l1_sums(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b,
                       ptrdiff_t j, int n_j, double *sums, double *part) {
    ptrdiff_t w = plan->width;
    for (ptrdiff_t start = 0; start < w; start += FD_L1_CHUNK) {
        ptrdiff_t n = w - start < FD_L1_CHUNK ? w - start : FD_L1_CHUNK;
        fd_tile_loops_now->l1_rows(a->left + i * w + start, n_i, b->left + j * w + start, n_j, w, n,
                                   start < FD_CHUNK ? sums : part, FD_TILE, start % FD_CHUNK == 0);
        if (start >= FD_CHUNK && (start + n == w || (start + n) % FD_CHUNK == 0))
            for (int row = 0; row < n_i; row++)
                for (int column = 0; column < n_j; column++)
                    sums[row * FD_TILE + column] += part[row * FD_TILE + column];
    }
}

/* In chunks of FD_DOT_CHUNK bins, so that long rows do not make long chains of additions, and these in parts that the
 * second cache holds. */
static void fd_dot_sums(const fd_plan *plan, const double *left, int n_i, const double *right, int n_j,
                        double *sums, double *part) {
    ptrdiff_t w = plan->width;
    for (ptrdiff_t start = 0; start < w; start += FD_DOT_PART) {
        ptrdiff_t n = w - start < FD_DOT_PART ? w - start : FD_DOT_PART;
        for (int panel = 0; panel < n_j; panel += FD_LANES)
            fd_tile_loops_now->dot_rows(left + start, w, n_i, right + panel * w + start * FD_LANES, n,
                                        (start < FD_DOT_CHUNK ? sums : part) + panel, FD_TILE,
                                        start % FD_DOT_CHUNK == 0);
        if (start >= FD_DOT_CHUNK && (start + n == w || (start + n) % FD_DOT_CHUNK == 0))
            for (int cell = 0; cell < n_i * FD_TILE; cell++)
                sums[cell] += part[cell];
    }
}

/* Sums of row i against rows [j, j + n) into values; how many of them had to be done again. */
static ptrdiff_t fd_finish_tile_row(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b,
                                    ptrdiff_t j, int n, double *values) {
    ptrdiff_t again = 0;
    int lost = fd_tile_loops_now->finish_row(values, n, &plan->finish, a->constant[i], a->limit[i],
                                             b->constant + j, b->limit + j);
    if (a->support && b->support)
        fd_mark_violations(plan, a, i, b, j, n, values);
    if (plan->js32 && lost > n / 4) {
        double twice[FD_TILE];
        fd_js_double(plan, a, i, b, j, n, twice);
        for (int column = 0; column < n; column++)
            values[column] = values[column] == -1.0 ? twice[column] : values[column];
    }
    for (int column = 0; column < n && lost; column++)
        if (values[column] == -1.0) {
            values[column] = fd_exact_pair(plan, a, i, b, j + column);
            again++;
        }
    return again;
}

ptrdiff_t fd_tile(const fd_plan *plan, const fd_side *a, ptrdiff_t i, int n_i, const fd_side *b, ptrdiff_t j,
                  int n_j, double *values, double *scratch) {
    ptrdiff_t w = plan->width, again = 0;
    if (fd_is_product(plan))
        fd_dot_sums(plan, a->left + i * w, n_i, b->right + j * w, n_j, values, scratch);
    if (plan->form == FD_FORM_DOTS) {
        fd_dot_sums(plan, a->left_too + i * w, n_i, b->right_too + j * w, n_j, scratch,
                    scratch + FD_TILE * FD_TILE);
        for (int cell = 0; cell < n_i * FD_TILE; cell++)
            values[cell] += scratch[cell];
    }
    if (plan->form == FD_FORM_L1)
        fd_l1_sums(plan, a, i, n_i, b, j, n_j, values, scratch);
    for (int row = 0; row < n_i; row++, i++, values += FD_TILE) {
        if (plan->form == FD_FORM_JS)
            fd_js_sums(plan, a, i, b, j, n_j, 1, values);
        for (int column = 0; column < n_j && plan->form == FD_FORM_PAIRS; column++)
            values[column] = fd_exact_pair(plan, a, i, b, j + column);
        again += plan->form == FD_FORM_PAIRS ? n_j : fd_finish_tile_row(plan, a, i, b, j, n_j, values);
    }
    return again;
}

double fd_pair_value(const fd_plan *plan, const fd_side *a, ptrdiff_t i, const fd_side *b, ptrdiff_t j) {
    double value, part;
    if (plan->form == FD_FORM_JS)
        fd_js_sums(plan, a, i, b, j, 1, 1, &value);
    else if (plan->form == FD_FORM_L1)
        fd_l1_sums(plan, a, i, 1, b, j, 1, &value, &part);
    else
        return fd_exact_pair(plan, a, i, b, j);
    int lost = fd_tile_loops_now->finish_row(&value, 1, &plan->finish, a->constant[i], a->limit[i],
                                             b->constant + j, b->limit + j);
    return lost ? fd_exact_pair(plan, a, i, b, j) : value;
}

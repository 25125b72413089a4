/* Jensen-Shannon of more than two distributions: sum_j w_j KL(p_j, m), m = sum_j w_j p_j.
 *
 * All rows are put on the scale of one of them, and only differences from it are added up (loops.h), so a
 * stack of near-identical rows keeps its digits just as a pair does, and a stack of identical rows gives 0.
 */
#include <stdlib.h>

#include "rows/gradient.h"
#include "rows/rows.h"
#include "rows/settle.h"
#include "rows/terms.h"

/* A block of a row, padded with bins that add nothing to a multiple of FD_LANES. */
static const double *fd_padded_block(const fd_row_reader *r, ptrdiff_t start, ptrdiff_t n, double *copy) {
    const double *block = fd_block(r, start, n, copy);
    if (n % FD_LANES == 0)
        return block;
    if (block != copy)
        memcpy(copy, block, (size_t)n * sizeof *copy);
    for (ptrdiff_t i = n; i % FD_LANES; i++)
        copy[i] = r->logs ? -INFINITY : 0.0;
    return copy;
}

/* The heaviest row comes first: if the others are far from it, the divergence is large; if they are near,
 * their differences from it are small. A row that weighs next to nothing may be anywhere. */
static ptrdiff_t fd_place(ptrdiff_t j, ptrdiff_t heaviest) {
    return j == 0 ? heaviest : j == heaviest ? 0 : j;
}

static int fd_stack_is_proportional(const fd_row_reader *rows, ptrdiff_t m, ptrdiff_t n) {
    for (ptrdiff_t j = 1; j < m; j++)
        if (!fd_proportional(&rows[0], &rows[j], n))
            return 0;
    return 1;
}

/* Whether no bin has more than one owner. */
static int fd_stack_is_disjoint(const fd_row_reader *rows, ptrdiff_t m, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        int owners = 0;
        for (ptrdiff_t j = 0; j < m; j++)
            if (fd_has_mass(&rows[j], i) && ++owners > 1)
                return 0;
    }
    return 1;
}

static int fd_stack_weigh(fd_row_reader *rows, ptrdiff_t m, ptrdiff_t n) {
    int ordinary = 1, exponent = -1074;
    for (ptrdiff_t j = 0; j < m; j++) {
        if (!fd_weigh_any(&rows[j], n))
            return 0;
        ordinary = ordinary && (rows->logs || fd_is_ordinary(&rows[j]));
    }
    if (ordinary)
        return 1;
    for (ptrdiff_t j = 0; j < m; j++) {
        int own = fd_sum_exponent(&rows[j], n);
        exponent = own > exponent ? own : exponent;
    }
    for (ptrdiff_t j = 0; j < m; j++)
        fd_rescale(&rows[j], n, rows->normalize ? fd_sum_exponent(&rows[j], n) : exponent);
    return 1;
}

/* Rows that are not normalised have one scale for all, which is to be taken out of the sum. */
static double fd_stack_factor(const fd_row_reader *rows, fd_pair *pairs, ptrdiff_t m) {
    double top = -DBL_MAX;
    if (rows->normalize || !rows->logs)
        return rows->normalize ? 1.0 : ldexp(1.0, rows->exponent);
    for (ptrdiff_t j = 0; j < m; j++)
        top = rows[j].top > top ? rows[j].top : top;
    for (ptrdiff_t j = 0; j < m; j++)
        pairs[j].max_p = pairs[j].max_q = top > -DBL_MAX ? top : 0.0;
    return exp(pairs[0].max_p);
}

/* A stack that is being computed: its rows, the heaviest first, each paired with that one. */
typedef struct {
    fd_row_reader *rows;
    fd_pair *pairs;
    ptrdiff_t m, n, heaviest;
    double factor; /* what the sum is to be multiplied by */
} fd_stack;

/* The mixture of bins [start, start + size), less the first row (loops.h), whose block is returned. */
static const double *fd_mix_block(const fd_stack *s, ptrdiff_t start, ptrdiff_t size, double *first_copy,
                                  double *mixture) {
    const fd_stack_loops *loops = s->rows->logs ? &fd_row_loops_now->log_stack : &fd_row_loops_now->stack;
    double copy[FD_BLOCK];
    ptrdiff_t padded = (size + FD_LANES - 1) / FD_LANES * FD_LANES;
    const double *first = fd_padded_block(s->rows, start, size, first_copy);
    memset(mixture, 0, FD_BLOCK * sizeof *mixture);
    for (ptrdiff_t j = 1; j < s->m; j++)
        loops->mix(first, fd_padded_block(&s->rows[j], start, size, copy), mixture, padded, &s->pairs[j]);
    return first;
}

static double fd_stack_terms(const fd_stack *s) {
    const fd_stack_loops *loops = s->rows->logs ? &fd_row_loops_now->log_stack : &fd_row_loops_now->stack;
    double first_copy[FD_BLOCK], copy[FD_BLOCK], mixture[FD_BLOCK];
    fd_sum sum = {0};
    for (ptrdiff_t start = 0; start < s->n; start += FD_BLOCK) {
        ptrdiff_t size = s->n - start < FD_BLOCK ? s->n - start : FD_BLOCK;
        ptrdiff_t padded = (size + FD_LANES - 1) / FD_LANES * FD_LANES;
        const double *first = fd_mix_block(s, start, size, first_copy, mixture);
        for (ptrdiff_t j = 0; j < s->m; j++) {
            const double *block = j ? fd_padded_block(&s->rows[j], start, size, copy) : first;
            fd_sum_add(&sum, loops->sum(first, block, mixture, padded, &s->pairs[j]));
        }
    }
    return fd_sum_total(sum) / fd_total(s->rows);
}

static void fd_stack_close(fd_stack *s) {
    free(s->rows);
    free(s->pairs);
}

/* 0 if a row is none, or where memory is short; to be closed all the same. */
static int fd_stack_open(fd_stack *s, fd_view first, ptrdiff_t step, const double *weights,
                         const fd_options *o) {
    ptrdiff_t m = s->m;
    s->rows = fd_needed(calloc((size_t)m, sizeof *s->rows));
    s->pairs = fd_needed(calloc((size_t)m, sizeof *s->pairs));
    if (!s->rows || !s->pairs)
        return 0;
    s->heaviest = 0;
    for (ptrdiff_t j = 1; j < m; j++)
        s->heaviest = weights[j] > weights[s->heaviest] ? j : s->heaviest;
    for (ptrdiff_t j = 0; j < m; j++) {
        fd_view view = first;
        view.data += fd_place(j, s->heaviest) * step;
        s->rows[j] = fd_reader(view, o);
    }
    if (!fd_stack_weigh(s->rows, m, s->n))
        return 0;
    for (ptrdiff_t j = 0; j < m; j++)
        fd_set_pair(&s->pairs[j], &s->rows[0], &s->rows[j], weights[s->heaviest],
                    weights[fd_place(j, s->heaviest)]);
    s->factor = fd_stack_factor(s->rows, s->pairs, m);
    return 1;
}

static void fd_stack_refine(fd_stack *s) {
    for (ptrdiff_t j = 1; j < s->m; j++)
        fd_refine_scale(&s->pairs[j], &s->rows[0], &s->rows[j], s->n);
}

/* In bits. */
static double fd_stack_divergence(fd_measure measure, fd_stack *s, const double *weights) {
    int normalize = s->rows->normalize;
    double d = fd_stack_terms(s);
    if (normalize && d > 0.0 && d < fd_measures[measure].again) {
        fd_stack_refine(s);
        d = fd_stack_terms(s);
        if (d < FD_SECOND_ORDER_NONE && !s->rows->logs && fd_stack_is_proportional(s->rows, s->m, s->n))
            d = 0.0;
    }
    d *= s->factor;
    if (normalize) {
        double bound = fd_weight_entropy(weights, s->m);
        if (d > bound * (1.0 - 1e-9) && (d > bound || fd_stack_is_disjoint(s->rows, s->m, s->n)))
            d = bound;
    }
    return d;
}

double fd_js_stack(fd_measure measure, fd_view first, ptrdiff_t step, ptrdiff_t m, const double *weights,
                   ptrdiff_t n, const fd_options *o) {
    fd_stack stack = {.m = m, .n = n};
    double d = NAN;
    if (fd_stack_open(&stack, first, step, weights, o))
        d = fd_in_unit(fd_stack_divergence(measure, &stack, weights), o);
    fd_stack_close(&stack);
    return fd_measures[measure].root ? sqrt(d) : d;
}

/* ---- its gradient ------------------------------------------------------------------------------------ */

/* w_j log2(x_j/m) for all bins of all rows (of logarithms times x_j), rows in the caller's order; `sums` get
 * what x_j slope adds up to. */
static void fd_stack_write_slopes(const fd_stack *s, double *by_rows, double *sums) {
    fd_stack_slope_loop write =
        s->rows->logs ? fd_slope_loops_now->of_log_stack : fd_slope_loops_now->of_stack;
    double first_copy[FD_BLOCK], copy[FD_BLOCK], mixture[FD_BLOCK], slopes[FD_BLOCK];
    for (ptrdiff_t start = 0; start < s->n; start += FD_BLOCK) {
        ptrdiff_t size = s->n - start < FD_BLOCK ? s->n - start : FD_BLOCK;
        ptrdiff_t padded = (size + FD_LANES - 1) / FD_LANES * FD_LANES;
        const double *first = fd_mix_block(s, start, size, first_copy, mixture);
        for (ptrdiff_t j = 0; j < s->m; j++) {
            const double *block = j ? fd_padded_block(&s->rows[j], start, size, copy) : first;
            sums[j] += write(first, block, mixture, padded, &s->pairs[j], slopes);
            memcpy(by_rows + fd_place(j, s->heaviest) * s->n + start, slopes, (size_t)size * sizeof *slopes);
        }
    }
}

double fd_js_stack_gradient(fd_measure measure, fd_view first, ptrdiff_t step, ptrdiff_t m,
                            const double *weights, ptrdiff_t n, const fd_options *o, double *by_rows) {
    int root = fd_measures[measure].root;
    fd_stack stack = {.m = m, .n = n};
    double *sums = fd_needed(calloc((size_t)m, sizeof *sums)), value = NAN;
    if (sums && fd_stack_open(&stack, first, step, weights, o)) {
        double bits = fd_stack_divergence(measure, &stack, weights), factor = fd_in_unit(1.0, o);
        value = fd_in_unit(bits, o);
        value = root ? sqrt(value) : value;
        factor = root ? 0.5 * factor / value : factor;
        if (stack.rows->normalize && fd_is_near(sqrt(bits)))
            fd_stack_refine(&stack);
        for (ptrdiff_t j = 0; j < m; j++) { /* of a bin without mass: x log(x/m) where m is w x alone */
            double w = stack.pairs[j].w_q;
            stack.pairs[j].none_y = w > 0.0 ? -w * log2(w) : 0.0;
        }
        fd_stack_write_slopes(&stack, by_rows, sums);
        for (ptrdiff_t j = 0; j < m; j++) {
            double *row = by_rows + fd_place(j, stack.heaviest) * n;
            if (!(value < INFINITY) || (root && value == 0.0)) { /* none, or the kink of a root */
                fd_fill(row, n, value == 0.0 ? 0.0 : NAN);
                continue;
            }
            if (value == 0.0) { /* the least value, from where only bins without mass lead up */
                for (ptrdiff_t i = 0; i < n; i++)
                    row[i] = fd_has_mass(&stack.rows[j], i) || stack.rows->logs ? 0.0 : stack.pairs[j].none_y;
                sums[j] = 0.0;
            }
            /* the sum is of masses on the scale of the first row */
            fd_settle(&stack.rows[j], n, sums[j] / stack.rows->sum, 0.0, factor, stack.pairs[j].max_q, row,
                      NULL);
        }
    } else {
        fd_fill(by_rows, m * n, NAN);
    }
    fd_stack_close(&stack);
    free(sums);
    return value;
}

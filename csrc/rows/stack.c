/* Jensen-Shannon of more than two distributions: sum_j w_j KL(p_j, m), m = sum_j w_j p_j.
 *
 * All rows are put on the scale of one of them, and only differences from it are added up (loops.h), so a
 * stack of near-identical rows keeps its digits just as a pair does, and a stack of identical rows gives 0.
 */
#include <stdlib.h>

#include "rows/rows.h"
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

static double fd_stack_terms(const fd_row_reader *rows, fd_pair *pairs, ptrdiff_t m, ptrdiff_t n) {
    const fd_stack_loops *loops = rows->logs ? &fd_row_loops_now->log_stack : &fd_row_loops_now->stack;
    double first_copy[FD_BLOCK], copy[FD_BLOCK], mixture[FD_BLOCK];
    fd_sum sum = {0};
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        ptrdiff_t padded = (size + FD_LANES - 1) / FD_LANES * FD_LANES;
        const double *first = fd_padded_block(rows, start, size, first_copy);
        memset(mixture, 0, sizeof mixture);
        for (ptrdiff_t j = 1; j < m; j++)
            loops->mix(first, fd_padded_block(&rows[j], start, size, copy), mixture, padded, &pairs[j]);
        for (ptrdiff_t j = 0; j < m; j++) {
            const double *block = j ? fd_padded_block(&rows[j], start, size, copy) : first;
            fd_sum_add(&sum, loops->sum(first, block, mixture, padded, &pairs[j]));
        }
    }
    return fd_sum_total(sum) / fd_total(rows);
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

double fd_js_stack(fd_measure measure, fd_view first, ptrdiff_t step, ptrdiff_t m, const double *weights,
                   ptrdiff_t n, const fd_options *o) {
    fd_row_reader *rows = calloc((size_t)m, sizeof *rows);
    fd_pair *pairs = calloc((size_t)m, sizeof *pairs);
    double d = NAN;
    if (!rows || !pairs)
        goto done;
    ptrdiff_t heaviest = 0;
    for (ptrdiff_t j = 1; j < m; j++)
        heaviest = weights[j] > weights[heaviest] ? j : heaviest;
    for (ptrdiff_t j = 0; j < m; j++) {
        fd_view view = first;
        view.data += fd_place(j, heaviest) * step;
        rows[j] = fd_reader(view, o);
    }
    if (!fd_stack_weigh(rows, m, n))
        goto done;
    for (ptrdiff_t j = 0; j < m; j++)
        fd_set_pair(&pairs[j], &rows[0], &rows[j], weights[heaviest], weights[fd_place(j, heaviest)]);
    double factor = fd_stack_factor(rows, pairs, m);
    d = fd_stack_terms(rows, pairs, m, n);
    if (rows->normalize && d > 0.0 && d < fd_measures[measure].again) {
        for (ptrdiff_t j = 1; j < m; j++)
            fd_refine_scale(&pairs[j], &rows[0], &rows[j], n);
        d = fd_stack_terms(rows, pairs, m, n);
        if (d < 0x1p-150 && !rows->logs && fd_stack_is_proportional(rows, m, n))
            d = 0.0;
    }
    d *= factor;
    if (rows->normalize) {
        double bound = fd_weight_entropy(weights, m);
        if (d > bound * (1.0 - 1e-9) && (d > bound || fd_stack_is_disjoint(rows, m, n)))
            d = bound;
    }
    d = fd_in_unit(d, o);
    d = fd_measures[measure].root ? sqrt(d) : d;
done:
    free(rows);
    free(pairs);
    return d;
}

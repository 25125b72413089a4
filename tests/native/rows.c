/* Doors of rows and of matrices. */
#include "bytes.h"
#include "core/core.h"
#include "matrix/matrix.h"
#include "rows/gradient.h"
#include "rows/logits.h"
#include "rows/table.h"

static fd_options fd_some_options(fd_call *c) {
    static const double alphas[] = {1.0, 0.0, 0.3, 0.5, 0.99, 2.0, 60.0, INFINITY};
    fd_options o = fd_default_options;
    o.normalize = fd_pick(c, 4) > 0;
    o.log_input = fd_pick(c, 4) == 0;
    o.pseudocount = !o.log_input && fd_pick(c, 4) == 0 ? fabs(fd_number(c, fd_pick(c, 4), FD_MASSES)) : 0.0;
    o.w_p = fd_pick(c, 3) ? 0.5 : fd_pick(c, 17) / 16.0;
    o.w_q = 1.0 - o.w_p;
    o.alpha = alphas[fd_pick(c, 8)];
    o.omit = fd_pick(c, 4) == 0;
    return o;
}

static const int fd_sizes[] = {8, 4, 1, 1, 2, 2, 4, 4, 8, 8};

/* Rows of n numbers of a type, `step` bytes apart, and in the row each the other's neighbour, its second, or backwards. */
static fd_view fd_some_rows(fd_call *c, int rows, int n, ptrdiff_t *step) {
    const fd_scalar scalar = fd_pick(c, 2) ? FD_FLOAT64 : fd_pick(c, FD_N_SCALARS);
    const ptrdiff_t size = fd_sizes[scalar], apart = fd_pick(c, 2) ? 1 : 2;
    const ptrdiff_t length = (n - 1) * apart + 1;
    char *data = fd_hold(c, (size_t)(rows * length * size));
    const double *x = fd_numbers(c, rows * length, FD_ANY);
    for (ptrdiff_t i = 0; i < rows * length; i++) {
        const double small = isfinite(x[i]) ? fmod(x[i], 0x1p62) : 0.0;
        const uint64_t whole = (uint64_t)(int64_t)small;
        const float single = (float)x[i];
        if (scalar == FD_FLOAT64)
            memcpy(data + i * size, x + i, 8);
        else if (scalar == FD_FLOAT32)
            memcpy(data + i * size, &single, 4);
        else
            memcpy(data + i * size, &whole, (size_t)size); /* little-endian */
    }
    *step = length * size;
    const int backwards = fd_pick(c, 4) == 0;
    return (fd_view){data + (backwards ? (n - 1) * apart * size : 0), (backwards ? -apart : apart) * size,
                     scalar};
}

static fd_view fd_at_row(fd_view x, ptrdiff_t bytes) { return (fd_view){x.data + bytes, x.stride, x.scalar}; }

static void fd_door_of_rows(fd_call *c) {
    const fd_measure measure = fd_pick(c, FD_N_MEASURES);
    const fd_options o = fd_some_options(c);
    const int rows = 1 + (int)fd_pick(c, FD_ROWS), n = fd_length(c, 1500);
    ptrdiff_t p_step, q_step;
    const fd_view p = fd_some_rows(c, rows, n, &p_step), q = fd_some_rows(c, rows, n, &q_step);
    double *one = fd_room_for(c, rows), *many = fd_room_for(c, rows), *back = fd_room_for(c, rows);
    for (int i = 0; i < rows; i++) {
        const fd_view a = fd_at_row(p, i * p_step), b = fd_at_row(q, i * q_step);
        one[i] = fd_row(measure, a, b, n, &o);
        back[i] = fd_row(measure, b, a, n, &o);
    }
    fd_rows(measure, p, p_step, q, q_step, rows, n, &o, many);
    fd_same("rows side by side", one, many, rows);
    if (fd_measures[measure].symmetric && o.w_p == o.w_q)
        fd_same("symmetry", one, back, rows);
    fd_note(c, one, rows);
}

static void fd_door_of_gradients(fd_call *c) {
    const fd_measure measure = fd_pick(c, FD_N_MEASURES);
    const fd_options o = fd_some_options(c);
    const int rows = 1 + (int)fd_pick(c, FD_ROWS), n = fd_length(c, 700);
    ptrdiff_t p_step, q_step;
    const fd_view p = fd_some_rows(c, rows, n, &p_step), q = fd_some_rows(c, rows, n, &q_step);
    double *x[2][3];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 3; i++)
            x[k][i] = fd_room_for(c, i ? rows * n : rows);
    for (int i = 0; i < rows; i++)
        x[0][0][i] = fd_gradient(measure, fd_at_row(p, i * p_step), fd_at_row(q, i * q_step), n, &o,
                                 x[0][1] + i * n, x[0][2] + i * n);
    fd_gradients(measure, p, p_step, q, q_step, rows, n, &o, x[1][0], x[1][1], n, x[1][2], n);
    for (int i = 0; i < 3; i++) {
        fd_same("gradients side by side", x[0][i], x[1][i], i ? rows * n : rows);
        fd_note(c, x[0][i], i ? rows * n : rows);
    }
}

static void fd_door_of_logits(fd_call *c) {
    fd_options o = fd_default_options;
    const int rows = 1 + (int)fd_pick(c, FD_ROWS), n = fd_length(c, 300);
    ptrdiff_t p_step, q_step;
    const fd_view p = fd_some_rows(c, rows, n, &p_step), q = fd_some_rows(c, rows, n, &q_step);
    double *x[2][3];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 3; i++)
            x[k][i] = fd_room_for(c, i ? rows * n : rows);
    for (int i = 0; i < rows; i++)
        x[0][0][i] = fd_logits_cross_entropy(fd_at_row(p, i * p_step), fd_at_row(q, i * q_step), n, &o,
                                             x[0][1] + i * n, x[0][2] + i * n);
    fd_logits_cross_entropies(p, p_step, q, q_step, rows, n, &o, x[1][0], x[1][1], n, x[1][2], n);
    for (int i = 0; i < 3; i++) {
        fd_same("logits side by side", x[0][i], x[1][i], i ? rows * n : rows);
        fd_note(c, x[0][i], i ? rows * n : rows);
    }
    ptrdiff_t *labels = fd_hold(c, (size_t)rows * sizeof *labels);
    for (int i = 0; i < rows; i++)
        labels[i] = (ptrdiff_t)fd_pick(c, 256) - 3;
    fd_label_cross_entropies(labels, q, q_step, rows, n, &o, x[0][0], x[0][2], n);
    fd_note(c, x[0][0], rows);
    fd_note(c, x[0][2], rows * n);
}

static void fd_door_of_stacks(fd_call *c) {
    const fd_measure measure = fd_pick(c, 2) ? FD_js_divergence : FD_js_distance;
    fd_options o = fd_some_options(c);
    o.w_p = o.w_q = 0.5;
    const int m = 1 + (int)fd_pick(c, 20), n = fd_length(c, 700);
    ptrdiff_t step;
    const fd_view rows = fd_some_rows(c, m, n, &step);
    double *w = fd_weights(c, m), total = 0.0, *slopes = fd_room_for(c, m * n), value;
    for (int i = 0; i < m; i++)
        total += w[i] = fmod(w[i], 0x1p60) + (i == 0);
    for (int i = 0; i < m; i++)
        w[i] /= total;
    value = fd_js_stack(measure, rows, step, m, w, n, &o);
    fd_note(c, &value, 1);
    value = fd_js_stack_gradient(measure, rows, step, m, w, n, &o, slopes);
    fd_note(c, &value, 1);
    fd_note(c, slopes, m * n);
    fd_events((int)fd_pick(c, 2), rows, n, slopes);
    fd_note(c, slopes, n);
}

/* ---- matrices ---- */

static fd_side fd_some_side(fd_call *c, const fd_plan *plan, int rows, int is_left, int bounds) {
    fd_side side = {.n_rows = rows, .scalar = plan->single ? FD_FLOAT32 : FD_FLOAT64};
    double *x = fd_numbers(c, rows * plan->n_bins, FD_ANY);
    float *single = fd_hold(c, (size_t)(rows * plan->n_bins) * sizeof *single);
    for (ptrdiff_t i = 0; i < rows * plan->n_bins; i++)
        single[i] = (float)x[i];
    side.data = plan->single ? (const char *)single : (const char *)x;
    side.bin_step = plan->single ? 4 : 8;
    side.row_step = side.bin_step * plan->n_bins;
    fd_room rooms[FD_MOST_ROOMS];
    const int n = fd_side_rooms(plan, &side, is_left, !is_left, bounds, rooms);
    for (int i = 0; i < n; i++) {
        const size_t bytes =
            ((size_t)rooms[i].bytes + 127) / 64 * 64; /* 64 more than asked for, as from Cython */
        void *room = aligned_alloc(64, bytes);
        if (!room)
            exit(0);
        c->held[c->n_held++] = memset(room, 0, bytes);
        memcpy((char *)&side + rooms[i].place, &room, sizeof room);
    }
    for (int i = 0; i < rows; i += FD_LANES)
        fd_prepare_rows(plan, &side, i, rows - i < FD_LANES ? rows - i : FD_LANES);
    return side;
}

static void fd_door_of_matrices(fd_call *c) {
    fd_plan plan = {.order = 1.0, .options = fd_default_options};
    plan.measure = fd_pick(c, 4) ? (int)fd_pick(c, FD_N_MEASURES) : FD_HISTOGRAMS;
    plan.n_bins = fd_length(c, 300);
    plan.single = fd_pick(c, 2);
    plan.options.log_input = fd_pick(c, 4) == 0 && plan.measure != FD_HISTOGRAMS;
    plan.options.alpha = plan.measure == FD_renyi_divergence && fd_pick(c, 2) ? 0.3 : 2.0;
    plan.form = fd_pick(c, 8) ? fd_fast_form(plan.measure) : FD_FORM_PAIRS;
    if (plan.measure == FD_HISTOGRAMS)
        plan.support = fd_ascending(c, plan.n_bins, 1);
    plan.scale = exp2(round(log2((double)plan.n_bins)));
    fd_plan_finish(&plan);
    const int n = 1 + (int)fd_pick(c, FD_QUERIES), m = 1 + (int)fd_pick(c, FD_TILE);
    const int bounds = fd_pick(c, 2) && (plan.form == FD_FORM_JS || plan.form == FD_FORM_L1);
    const fd_side a = fd_some_side(c, &plan, n, 1, bounds), b = fd_some_side(c, &plan, m, 0, bounds);
    double *values = fd_room_for(c, FD_TILE * FD_TILE), *scratch = fd_room_for(c, 2 * FD_TILE * FD_TILE);
    fd_tile(&plan, &a, 0, n, &b, 0, m, values, scratch);
    double *alone = fd_room_for(c, FD_TILE * FD_TILE);
    for (int i = 0; i < n; i++) {
        fd_tile(&plan, &a, i, 1, &b, 0, m, alone, scratch);
        fd_same("a row alone", alone, values + i * FD_TILE, m);
        if (plan.form == FD_FORM_JS || plan.form == FD_FORM_L1) {
            const double one = fd_pair_value(&plan, &a, i, &b, m - 1);
            fd_same("a pair alone", &one, values + i * FD_TILE + m - 1, 1);
        }
        fd_note(c, values + i * FD_TILE, m);
    }
    const ptrdiff_t k = 1 + fd_pick(c, (unsigned)m);
    double *near = fd_room_for(c, n * k), *first = fd_room_for(c, k);
    ptrdiff_t *places = fd_hold(c, (size_t)(n * k) * sizeof *places),
              *counts = fd_hold(c, (size_t)n * sizeof *counts);
    ptrdiff_t *first_places = fd_hold(c, (size_t)k * sizeof *first_places);
    double *space = fd_room_for(c, bounds ? FD_QUERIES * FD_SEGMENT : 3 * FD_TILE * FD_TILE);
    fd_nearest(&plan, &a, 0, n, &b, 0, m, k, near, places, counts, space, first, first_places);
    for (int i = 0; i < n; i++)
        fd_note(c, near + i * k, counts[i]);
}

void (*const fd_row_doors[FD_ROW_DOORS])(fd_call *) = {
    fd_door_of_rows, fd_door_of_gradients, fd_door_of_logits, fd_door_of_stacks, fd_door_of_matrices};

/* W1 without sorting.
 *
 * Find how much of u and v falls into each cell of a grid. F - G is then known at every edge, exactly: from
 * counts as (i m - j n) / (n m), from masses as (A T - B S) / (S T). Inside a cell it can only move between
 * its value at the left edge minus the cell's share of v and that value plus the cell's share of u. Where
 * this range keeps away from 0 the sign s of F - G is constant, and with the places f in [-1/2, 1/2] of the
 * values from the middles of their cells
 *
 *     integral of |F - G| over the cell = s width ((F - G at the left + at the right edge) / 2
 *                                                  - sum f_u a_u / S + sum f_v b_v / T).
 *
 * Summed over all such cells these are three numbers. The values in other cells ("mixed") are gathered,
 * sorted and swept. Where ties are many, cells that hold one point only are done without either. Two samples
 * of one law leave some 5 sqrt(n + m) / cells of the values in mixed cells, of laws apart (laws.h) next to none however
 * few the cells. Work: two passes over the values; in the worst case, all mixed, also a sort: never worse than
 * O(n log n).
 *
 * KS needs no places: only cells whose range reaches beyond the largest |F - G| at an edge are gathered. NaN are
 * in cell 0 and are seen in the second pass, by their places: there is one whenever that cell holds something.
 *
 * Error. A cell counts as unmixed only if the part of F - G that works against its sign is at most 8 times
 * what remains: no cancellation beyond a factor 17. Places are exact to 2^-53 of a cell and are summed in
 * blocks, so the unmixed part is right to some 17 * (2^-53 * 128): 2e-13 in the worst case, 3e-16 as
 * measured. Bits do not depend on threads: values are cut into chunks whose number depends on n and m only,
 * counts and masses are integers, and the sums of chunks are added in order.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "transport/cell_runs.h"
#include "transport/laws.h"
#include "transport/memory.h"
#include "transport/sweeps.h"
#include "transport/table.h"

static void fd_cells_free(fd_cells *c) {
    for (int s = 0; s < 2; s++) {
        free(c->side[s].count);
        free(c->side[s].mass);
        free(c->side[s].atom);
        free(c->side[s].gathered);
        free(c->side[s].weights);
    }
    free(c->kind);
    free(c->left[0]);
    free(c->run);
}

enum { FD_MANY = 50000 }; /* values, of which a look at some takes next to no time */

/* Chooses the grid and takes memory for it. 0: ready; 1: the values do not suit a grid; -1: no memory. */
static int fd_cells_open(fd_cells *c, const fd_source *u, const double *a, int64_t n, const fd_source *v,
                         const double *b, int64_t m, const double *sample, int size, int ks, int threads) {
    int ties = 0;
    c->ks = ks;
    if (size == 0)
        return 1;
    for (int i = 1; i < size; i++)
        ties += sample[i] == sample[i - 1];
    int64_t cells = 256;
    while (cells < 65536 && cells * cells < 512 * (u->n + v->n))
        cells *= 2;
    if (!ks && !c->spikes && u->n + v->n >= FD_MANY && fd_are_apart(u, a, v, b))
        cells /= 8; /* in smaller tables, nearer in the caches */
    c->grid = fd_grid_over(sample, size, (int32_t)cells);
    if (c->grid.cells == 0)
        return 1;
    const size_t total = (size_t)c->grid.cells + 2;
    c->side[0] = (fd_cells_side){.source = u, .masses = fd_masses_scaled(a, n), .chunks = fd_chunks(u->n)};
    c->side[1] = (fd_cells_side){.source = v, .masses = fd_masses_scaled(b, m), .chunks = fd_chunks(v->n)};
    c->kind = calloc(total, sizeof *c->kind);
    int failed = c->kind == NULL;
    for (int s = 0; s < 2; s++) {
        fd_cells_side *side = &c->side[s];
        side->tables = threads > 1 ? side->chunks : 1;
        side->count = calloc(total * (size_t)side->tables, sizeof *side->count);
        failed |= side->count == NULL;
        if (side->masses.weights) {
            side->mass = calloc(total * (size_t)side->tables, sizeof *side->mass);
            failed |= side->mass == NULL;
        }
        if (8 * ties > size && !ks && !c->spikes) {
            side->atom = malloc(total * (size_t)side->tables * sizeof *side->atom);
            failed |= side->atom == NULL;
        }
    }
    if (!a && !c->side[0].atom && n < INT32_MAX && m < INT32_MAX && (double)n * (double)m < FD_COUNTABLE) {
        c->left[0] = malloc(2 * (total + 1) * sizeof *c->left[0]);
        failed |= c->left[0] == NULL;
        c->left[1] = c->left[0] ? c->left[0] + total + 1 : NULL;
    }
    return failed ? -1 : 0;
}

/* What lies in one cell. */
typedef struct {
    int64_t count[2];
    fd_mass mass[2];
    double atom; /* the only value of both sides, where it is `single` */
    int single;
} fd_content;

static inline void fd_add_content(fd_content *content, const fd_cells_side *side, size_t total, int32_t k,
                                  int s) {
    int64_t count = 0;
    fd_mass mass = 0;
    double atom = content->atom;
    int single = content->single;
    for (int h = 0; h < side->tables; h++) {
        const size_t at = (size_t)h * total + (size_t)k;
        if (side->count[at] == 0)
            continue;
        count += side->count[at];
        mass += side->mass ? side->mass[at] : side->count[at];
        if (side->atom && single && (atom != atom || atom == side->atom[at]))
            atom = side->atom[at];
        else
            single = 0;
        single &= atom == atom;
    }
    content->count[s] = count;
    content->mass[s] = mass;
    content->atom = atom;
    content->single = single;
}

static inline fd_content fd_content_of(const fd_cells *c, int32_t k) {
    fd_content content = {.atom = NAN, .single = 1};
    fd_add_content(&content, &c->side[0], (size_t)c->grid.cells + 2, k, 0);
    fd_add_content(&content, &c->side[1], (size_t)c->grid.cells + 2, k, 1);
    return content;
}

/* F - G at the edges of a cell; within, it stays in [before - down, before + up]. */
typedef struct {
    fd_mass A, B; /* mass of u and v left of it */
    double before, after, up, down;
} fd_crossing;

typedef struct {
    fd_mass S, T;
    double per_S, per_T, unit; /* 1 / S, 1 / T, 1 / (S T) */
} fd_totals;

static fd_totals fd_totals_of(const fd_cells *c) {
    fd_totals t = {.S = c->side[0].masses.total, .T = c->side[1].masses.total};
    t.per_S = 1.0 / fd_mass_to_double(t.S);
    t.per_T = 1.0 / fd_mass_to_double(t.T);
    t.unit = 1.0 / (fd_mass_to_double(t.S) * fd_mass_to_double(t.T));
    return t;
}

/* From one cell into the next. */
static inline void fd_cross(fd_crossing *x, const fd_content *content, const fd_totals *t) {
    const fd_mass a = content->mass[0], b = content->mass[1];
    x->before = x->after;
    x->up = fd_mass_to_double(a) * t->per_S;
    x->down = fd_mass_to_double(b) * t->per_T;
    if (a | b)
        x->after = fd_cross_difference(x->A + a, t->T, x->B + b, t->S) * t->unit;
}

/* KS: the largest |F - G| at an edge. */
static double fd_largest_at_edges(const fd_cells *c) {
    const fd_totals totals = fd_totals_of(c);
    fd_crossing x = {0};
    double largest = 0.0;
    for (int32_t k = 0; k < c->grid.cells + 2; k++) {
        const fd_content content = fd_content_of(c, k);
        fd_cross(&x, &content, &totals);
        largest = fabs(x.after) > largest ? fabs(x.after) : largest;
        x.A += content.mass[0];
        x.B += content.mass[1];
    }
    return largest;
}

static inline int8_t fd_kind_of(const fd_cells *c, int32_t k, const fd_content *content,
                                const fd_crossing *x) {
    const int inside = k > 0 && k <= c->grid.cells, empty = !(content->mass[0] | content->mass[1]);
    const double least = x->before - x->down, most = x->before + x->up;
    if (c->ks)
        return most > c->largest || least < -c->largest ? FD_MIXED : FD_DONE;
    if (inside && content->single && !empty)
        return FD_DONE;
    if (inside && (empty || (least > 0.0 && 8.0 * least >= x->down)))
        return FD_POSITIVE;
    if (inside && most < 0.0 && -8.0 * most >= x->up)
        return FD_NEGATIVE;
    return empty ? FD_DONE : FD_MIXED;
}

/* The same where masses or atoms have to be looked at. */
static int fd_cells_classify(fd_cells *c) {
    const int32_t cells = c->grid.cells;
    for (int s = 0; s < 2; s++) {
        fd_cells_side *side = &c->side[s];
        if (side->mass) {
            side->masses.total = 0;
            for (size_t k = 0; k < ((size_t)cells + 2) * (size_t)side->tables; k++)
                side->masses.total += side->mass[k];
        }
    }
    const fd_totals totals = fd_totals_of(c);
    c->largest = c->ks ? fd_largest_at_edges(c) : 0.0;
    fd_crossing x = {0};
    fd_run *open = NULL; /* the run that may still grow */
    for (int32_t k = 0; k < cells + 2; k++) {
        const fd_content content = fd_content_of(c, k);
        fd_cross(&x, &content, &totals);
        const int8_t kind = fd_kind_of(c, k, &content, &x);
        const int inside = k > 0 && k <= cells;
        c->kind[k] = kind;
        if (kind == FD_DONE && inside && !c->ks) { /* a single point */
            fd_sum_add(&c->atoms, fabs(x.before) * (content.atom - fd_edge(c->grid, k - 1)));
            fd_sum_add(&c->atoms, fabs(x.after) * (fd_edge(c->grid, k) - content.atom));
        }
        if (kind & 1) {
            fd_sum_add(&c->edges, fabs(x.before) + fabs(x.after));
            c->gather |= (content.mass[0] | content.mass[1]) != 0;
        }
        c->gather |= k == 0 && (content.count[0] | content.count[1]); /* is one a NaN? */
        if (kind != FD_MIXED)
            open = NULL;
        else if (fd_run_on(c, &open, k, x.A, x.B, content.count))
            return -1;
        x.A += content.mass[0];
        x.B += content.mass[1];
    }
    return fd_cells_make_room(c);
}

/* Sorts what was gathered of one side. */
static void fd_cells_sort(fd_cells *c, int s) {
    fd_cells_side *side = &c->side[s];
    const int64_t n = c->mixed[s];
    if (!side->mass) {
        fd_sort_here(side->gathered, n);
        return;
    }
    double *values = fd_allocate(((size_t)n + 1) * sizeof *values),
           *w = fd_allocate(((size_t)n + 1) * sizeof *w);
    ptrdiff_t *order = fd_allocate(((size_t)n + 1) * sizeof *order);
    if (values && w && order) {
        const double *weights = side->weights;
        fd_arrange_f64(side->gathered, &weights, n, 0, values, w, order);
        free(side->gathered);
        free(side->weights);
        side->gathered = values;
        side->weights = w;
    } else {
        free(values);
        free(w);
        c->failed = 1;
    }
    free(order);
}

/* One run. Its result is of no use if it holds a NaN or an infinity (only the first and the last can): their
 * places, which are NaN, make the distance NaN. */
static void fd_cells_sweep(fd_cells *c, int r) {
    fd_run *run = &c->run[r];
    const double *u = c->side[0].gathered + run->first[0], *v = c->side[1].gathered + run->first[1];
    const int64_t n = run->count[0], m = run->count[1];
    fd_masses a = c->side[0].masses, b = c->side[1].masses;
    double left = run->left, right = run->right;
    if (left == -INFINITY || right == INFINITY) {
        double first = INFINITY, last = -INFINITY;
        if (n)
            first = u[0], last = u[n - 1];
        if (m)
            first = v[0] < first ? v[0] : first, last = v[m - 1] > last ? v[m - 1] : last;
        if (run->spikes) {
            const double low = c->spike[run->spike].value,
                         high = c->spike[run->spike + run->spikes - 1].value;
            first = low < first ? low : first;
            last = high > last ? high : last;
        }
        left = left == -INFINITY ? first : left;
        right = right == INFINITY ? last : right;
    }
    if (run->spikes) {
        run->left = left;
        run->right = right;
        run->result = fd_cells_sweep_spikes(c, run, u, v);
        return;
    }
    if (!a.weights && (double)a.n * (double)b.n < 0x1p62) {
        const int64_t D = (int64_t)run->before[0] * b.n - (int64_t)run->before[1] * a.n;
        run->result = fd_counts_between_f64(u, n, v, m, b.n, a.n, D, left, right, c->ks ? 0 : 1);
        return;
    }
    a.n = n;
    b.n = m;
    if (a.weights) {
        a.weights = c->side[0].weights + run->first[0];
        b.weights = c->side[1].weights + run->first[1];
    }
    run->result =
        fd_cdf_between_f64(u, a, run->before[0], v, b, run->before[1], left, right, c->ks ? 0 : 1, 1.0);
}

/* The distance; NaN if some value is not finite. */
static double fd_cells_total(const fd_cells *c) {
    double places[2] = {0.0, 0.0}, largest = c->largest;
    for (int s = 0; s < 2; s++)
        for (int h = 0; h < c->side[s].chunks; h++)
            places[s] += c->side[s].place_sum[h];
    fd_sum total = c->atoms;
    for (int32_t r = 0; r < c->runs; r++) {
        largest = c->run[r].result > largest ? c->run[r].result : largest;
        fd_sum_add(&total, c->run[r].result);
    }
    if (c->ks)
        return places[0] + places[1] + fd_sum_total(total) == INFINITY ||
                       isnan(places[0] + places[1] + fd_sum_total(total))
                   ? NAN
                   : largest;
    for (int s = 0; s < 2; s++)
        places[s] /= c->side[s].mass ? fd_mass_to_double(c->side[s].masses.total) * 0x1p-126
                                     : (double)c->side[s].masses.n;
    fd_sum_add(&total, c->grid.width * (0.5 * fd_sum_total(c->edges) - places[0] + places[1]));
    return fd_sum_total(total);
}

/* ---- a row end to end ---- */

typedef void fd_cells_task(fd_cells *c, int task);

static void fd_cells_each(fd_cells *c, int tasks, int threads, fd_cells_task *task) {
    if (threads == 1) {
        for (int i = 0; i < tasks; i++)
            task(c, i);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (int i = 0; i < tasks; i++)
        task(c, i);
}

static void fd_count_task(fd_cells *c, int task) {
    const int chunks = c->side[0].chunks, s = task >= chunks;
    fd_cell_loops_now->count(c, s, s ? task - chunks : task);
}

static void fd_gather_task(fd_cells *c, int task) {
    const int chunks = c->side[0].chunks, s = task >= chunks;
    fd_cell_loops_now->gather(c, s, s ? task - chunks : task);
}

static int fd_cells_pass(fd_cells *c, int threads, double *result) {
    const int tasks = c->side[0].chunks + c->side[1].chunks;
    fd_cells_each(c, tasks, threads, fd_count_task);
    if (c->left[0] ? fd_cells_classify_counts(c) : fd_cells_classify(c))
        return -1;
    if (c->gather)
        fd_cells_each(c, tasks, threads, fd_gather_task);
    /* with weights one after the other, for the sake of memory */
    fd_cells_each(c, 2, threads == 1 || c->side[0].mass ? 1 : 2, fd_cells_sort);
    if (c->failed)
        return -1;
    fd_cells_each(c, c->runs, threads, fd_cells_sweep);
    *result = fd_cells_total(c);
    return isnan(*result);
}

int fd_cells_statistic(const fd_source *u, const double *a, const fd_source *v, const double *b,
                       const double *sample, int size, int ks, int threads, double *result) {
    fd_cells c = {0};
    int status = fd_cells_open(&c, u, a, u->n, v, b, v->n, sample, size, ks, threads);
    if (status == 0)
        status = fd_cells_pass(&c, threads, result);
    fd_cells_free(&c);
    return status;
}

int fd_cells_between_spikes(const fd_source *u, int64_t n, const fd_source *v, int64_t m, fd_spike *spike,
                            int32_t spikes, const double *sample, int size, int ks, int threads,
                            double *result) {
    fd_cells c = {.spike = spike, .spikes = spikes};
    int status = fd_cells_open(&c, u, NULL, n, v, NULL, m, sample, size, ks, threads);
    if (status == 0)
        status = fd_cells_pass(&c, threads, result);
    fd_cells_free(&c);
    return status;
}

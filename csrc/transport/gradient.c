/* Distances of samples with their derivatives by every value and weight, rows end to end: both sides are
 * sorted, the value is that of statistic.h, and pull.h goes over one side after the other.
 *
 * Values are points of two doubles (integers beyond 2^53 are exact), times a power of two where distances or
 * their powers would leave the range. NaNs that are left out have derivatives 0. Infinities without mass are
 * left out, too: the derivative towards mass there is inf.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "transport/memory.h"
#include "transport/rotations.h"
#include "transport/sweeps.h"
#include "transport/transport.h"

/* One sample of a row, sorted. */
typedef struct {
    ptrdiff_t *order;
    void *values;
    double *weights, *high, *low; /* weights, low: NULL where there are none */
    double *pull, *potential;
    int64_t n, from, to; /* those between count */
} fd_face;

typedef struct {
    fd_face side[2];
    void *levels;
    char *room;
} fd_desk;

/* What a thread takes for a row. room = NULL: there is no memory. */
static fd_desk fd_desk_for(const fd_samples *u, const fd_samples *v) {
    const fd_samples *x[2] = {u, v};
    const size_t columns = 5 + (u->weights != NULL) + !u->real, level = sizeof(fd_u256);
    fd_desk desk = {.room = fd_allocate((size_t)(u->length + v->length) * (8 * columns + level))};
    if (!desk.room)
        return desk;
    desk.levels = desk.room;
    char *next = desk.room + (size_t)(u->length + v->length) * level;
    for (int k = 0; k < 2; k++) {
        fd_face *f = desk.side + k;
        const size_t bytes = 8 * (size_t)x[k]->length;
        f->n = x[k]->length;
        f->order = (ptrdiff_t *)next;
        f->values = next + bytes;
        f->high = (double *)(next + 2 * bytes);
        f->pull = (double *)(next + 3 * bytes);
        f->potential = (double *)(next + 4 * bytes);
        next += 5 * bytes;
        if (u->weights) {
            f->weights = (double *)next;
            next += bytes;
        }
        if (!u->real) {
            f->low = (double *)next;
            next += bytes;
        }
    }
    return desk;
}

static double fd_value_at(const fd_face *f, int real, int64_t i) {
    return real ? ((const double *)f->values)[i] : (double)((const uint64_t *)f->values)[i];
}

/* Sorts a sample and finds what of it counts. */
static void fd_face_up(fd_face *f, const fd_samples *x, int64_t row, const fd_task *task) {
    const fd_samples here = {
        .values = (const char *)x->values + 8 * row * x->step, .length = x->length, .real = x->real};
    const double *weights = x->weights ? x->weights + row * x->weight_step : NULL;
    if (task->sorted) {
        memcpy(f->values, here.values, 8 * (size_t)f->n);
        for (int64_t i = 0; i < f->n; i++)
            f->order[i] = i;
    } else {
        fd_order_of(&here, f->order, f->values);
    }
    for (int64_t i = 0; weights && i < f->n; i++)
        f->weights[i] = weights[f->order[i]];
    f->from = 0;
    f->to = f->n;
    while (task->omit && f->to && isnan(fd_value_at(f, x->real, f->to - 1)))
        f->to--;
    while (weights && f->from < f->to && f->weights[f->from] == 0.0 &&
           isinf(fd_value_at(f, x->real, f->from)))
        f->from++;
    while (weights && f->from < f->to && f->weights[f->to - 1] == 0.0 &&
           isinf(fd_value_at(f, x->real, f->to - 1)))
        f->to--;
}

/* What counts, as points times 2^unit. */
static fd_arc fd_points(const fd_face *f, int real, int unit) {
    const double scale = ldexp(1.0, unit);
    for (int64_t i = f->from; i < f->to; i++)
        if (real) {
            f->high[i] = ((const double *)f->values)[i] * scale;
        } else {
            const uint64_t x = ((const uint64_t *)f->values)[i];
            f->high[i] = (double)(x >> 32) * 0x1p32;
            f->low[i] = (double)(x & UINT32_MAX);
        }
    return (fd_arc){f->high + f->from, real ? NULL : f->low + f->from,
                    f->weights ? f->weights + f->from : NULL, f->to - f->from};
}

/* The exponent of an even power of two that keeps products and quotients of values within the range. */
static int fd_unit_of(const fd_desk *desk) {
    double largest = 0.0;
    for (int k = 0; k < 2; k++) {
        const fd_face *f = desk->side + k;
        largest = fmax(largest, fmax(fabs(fd_value_at(f, 1, f->from)), fabs(fd_value_at(f, 1, f->to - 1))));
    }
    return largest > 0x1p900 ? -200 : largest < 0x1p-500 ? 500 : 0;
}

/* The distance of what counts, times 2^unit. */
static double fd_distance_of(const fd_desk *desk, int real, const fd_masses a, const fd_masses b,
                             const fd_task *task, int unit, double value) {
    const fd_face *u = desk->side, *v = desk->side + 1;
    if (unit == 0 || task->p == 1.0 || !real)
        return value;
    return fd_wasserstein_times_f64((const double *)u->values + u->from, a,
                                    (const double *)v->values + v->from, b, task->p, ldexp(1.0, unit));
}

/* The derivatives of both sides, left where they are sorted. */
static void fd_derive(fd_desk *desk, int real, const fd_task *task, double value) {
    const int unit = real ? fd_unit_of(desk) : 0;
    const fd_arc x[2] = {fd_points(desk->side, real, unit), fd_points(desk->side + 1, real, unit)};
    const fd_masses a[2] = {fd_masses_of(x[0].weights, x[0].n), fd_masses_of(x[1].weights, x[1].n)};
    const int counts = !x[0].weights && (double)x[0].n * (double)x[1].n < 0x1p60;
    const int quantiles = task->statistic == FD_WASSERSTEIN;
    const double W = quantiles ? fd_distance_of(desk, real, a[0], a[1], task, unit, value)
                               : value * ldexp(task->statistic == FD_ENERGY ? 0.5 : 1.0, unit / 2);
    uint64_t *count = desk->levels;
    fd_u256 *mass = desk->levels;
    for (int k = 0; k < 2; k++)
        if (counts)
            fd_levels_of_counts(x[k].n, x[1 - k].n, count + k * x[0].n);
        else
            fd_levels_of_masses(a[k], a[1 - k].total, mass + k * x[0].n);
    for (int k = 0; k < 2; k++) {
        const fd_face *f = desk->side + k;
        const int64_t other = (1 - k) * x[0].n, own = k * x[0].n;
        if (counts) {
            const uint64_t whole = (uint64_t)(x[0].n * x[1].n);
            const fd_circle_u64 c = {x[k],  x[1 - k],   count + own, count + other,
                                     whole, {0.0, 0.0}, task->p,     1.0};
            fd_side_u64 side = {f->pull + f->from, f->potential + f->from, {0.0, 0.0}};
            if (quantiles)
                fd_pull_of_quantiles_u64(&c, whole, 0.0, W, &side);
            else
                fd_pull_of_area_u64(&c, W, &side);
        } else {
            const fd_u256 whole = fd_product(a[0].total, a[1].total);
            const fd_circle_u256 c = {x[k],  x[1 - k],   mass + own, mass + other,
                                      whole, {0.0, 0.0}, task->p,    1.0};
            fd_side_u256 side = {f->pull + f->from, f->potential + f->from, {0.0, 0.0}};
            if (quantiles)
                fd_pull_of_quantiles_u256(&c, whole, 0.0, W, &side);
            else
                fd_pull_of_area_u256(&c, W, &side);
        }
        fd_by_weights(f->potential + f->from, f->to - f->from, a[k], quantiles ? task->p : 1.0,
                      quantiles ? unit : unit / 2);
        for (int64_t i = f->from; i < f->to && (!quantiles || a[k].weights); i++)
            f->pull[i] = ldexp(f->pull[i] * fd_lost_in(&a[k], i - f->from), quantiles ? 0 : unit / 2);
    }
}

static void fd_gradient_of_row(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t row,
                               fd_desk *desk, const fd_gradients *out) {
    const fd_samples *x[2] = {u, v};
    const fd_face *f[2] = {desk->side, desk->side + 1};
    for (int k = 0; k < 2; k++)
        fd_face_up(desk->side + k, x[k], row, task);
    const double value = u->real ? fd_statistic_of_f64(f[0]->values, f[0]->weights, u->length, f[1]->values,
                                                       f[1]->weights, v->length, task)
                                 : fd_statistic_of_u64(f[0]->values, f[0]->weights, u->length, f[1]->values,
                                                       f[1]->weights, v->length, task);
    const int moves = value > 0.0 && value < INFINITY;
    if (moves)
        fd_derive(desk, u->real, task, value);
    out->value[row] = value;
    for (int k = 0; k < 2; k++) {
        double *by_values = out->values[k], *by_weights = out->weights[k] + row * f[k]->n;
        for (int64_t i = 0; i < f[k]->n; i++) {
            const int inside = i >= f[k]->from && i < f[k]->to, far = isinf(fd_value_at(f[k], u->real, i));
            if (by_values)
                by_values[row * f[k]->n + f[k]->order[i]] = moves && inside ? f[k]->pull[i] : 0.0;
            by_weights[f[k]->order[i]] = !moves ? 0.0 : inside ? f[k]->potential[i] : far ? INFINITY : 0.0;
        }
    }
}

double fd_work_of_gradient(const fd_samples *u, const fd_samples *v) {
    return (double)(u->length + v->length) * (u->weights ? 200.0 : 60.0);
}

int fd_gradient_of_rows(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t first,
                        int64_t last, const fd_gradients *out) {
    const int64_t rows = last - first;
    const int team = fd_team(fd_work_of_gradient(u, v) * (double)rows, (double)rows);
    int status = 0;
#pragma omp parallel for num_threads(team) schedule(static) reduction(+ : status) if (team > 1)
    for (int span = 0; span < team; span++) {
        fd_desk desk = fd_desk_for(u, v);
        status += desk.room ? 0 : -1;
        for (int64_t row = first + rows * span / team; desk.room && row < first + rows * (span + 1) / team;
             row++)
            fd_gradient_of_row(u, v, task, row, &desk, out);
        free(desk.room);
    }
    return status;
}

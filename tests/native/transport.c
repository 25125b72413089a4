/* Doors of transport. */
#include "bytes.h"
#include "transport/transport.h"

static const double fd_orders[] = {1.0, 2.0, 1.5, 3.0, 600.0, INFINITY};

static fd_samples fd_some_samples(fd_call *c, int rows, int n, int real, int weighted) {
    fd_samples x = {.length = n, .step = rows > 1 ? n : 0, .weight_step = rows > 1 ? n : 0, .real = real};
    x.values = fd_numbers(c, rows * n, FD_ANY);
    double *weights = weighted ? fd_room_for(c, rows * n) : NULL;
    for (int i = 0; weighted && i < rows; i++)
        memcpy(weights + i * n, fd_weights(c, n), (size_t)n * sizeof(double));
    x.weights = weights;
    return x;
}

static void fd_door_of_samples(fd_call *c) {
    const int real = fd_pick(c, 3) > 0, weighted = fd_pick(c, 2), rows = 1 + (int)fd_pick(c, 3);
    const int n = fd_length(c, 3000), m = fd_length(c, 3000);
    const fd_samples u = fd_some_samples(c, rows, n, real, weighted),
                     v = fd_some_samples(c, rows, m, real, weighted);
    const fd_task task = {
        .statistic = fd_pick(c, 4), .p = fd_orders[fd_pick(c, 6)], .omit = real && fd_pick(c, 2)};
    double *value = fd_room_for(c, rows), *again = fd_room_for(c, rows);
    if (fd_statistic_of_rows(&u, &v, &task, 0, rows, 1, value) == 0) {
        for (int i = 0; i < rows; i++)
            if (value[i] < 0.0)
                abort();
        fd_statistic_of_rows(&u, &v, &task, 0, rows, 1, again);
        fd_same("twice", value, again, rows);
        fd_note(c, value, rows);
    }
    if (task.statistic == FD_KS || isinf(task.p))
        return;
    fd_gradients out = {.value = value};
    out.values[0] = real ? fd_room_for(c, rows * n) : NULL;
    out.values[1] = real ? fd_room_for(c, rows * m) : NULL;
    out.weights[0] = fd_room_for(c, rows * n);
    out.weights[1] = fd_room_for(c, rows * m);
    if (fd_gradient_of_rows(&u, &v, &task, 0, rows, &out) == 0) {
        fd_note(c, value, rows);
        fd_note(c, out.weights[0], rows * n);
        fd_note(c, out.weights[1], rows * m);
    }
}

static void fd_door_of_sources(fd_call *c) {
    fd_source x[2];
    static const int sizes[] = {8, 4, 1, 1, 2, 2, 4, 4, 8, 8};
    for (int k = 0; k < 2; k++) {
        x[k] = (fd_source){.n = fd_length(c, 3000), .kind = fd_pick(c, 10)};
        const double *numbers = fd_numbers(c, x[k].n, FD_ANY);
        char *values = fd_hold(c, (size_t)(x[k].n * sizes[x[k].kind]));
        for (int64_t i = 0; i < x[k].n; i++) {
            const float single = (float)numbers[i];
            const uint64_t whole = (uint64_t)(int64_t)(isfinite(numbers[i]) ? fmod(numbers[i], 0x1p62) : 0.0);
            memcpy(values + i * sizes[x[k].kind],
                   x[k].kind == FD_F64   ? (const void *)&numbers[i]
                   : x[k].kind == FD_F32 ? (const void *)&single
                                         : (const void *)&whole,
                   (size_t)sizes[x[k].kind]);
        }
        x[k].values = values;
    }
    const fd_task task = {.statistic = fd_pick(c, 4), .p = fd_orders[fd_pick(c, 6)]};
    double value = 0.0;
    if (fd_statistic_of_sources(&x[0], &x[1], &task, &value) == 0)
        fd_note(c, &value, 1);
}

static void fd_door_of_hists(fd_call *c) {
    const int rows = 1 + (int)fd_pick(c, 3), n = fd_length(c, 200), m = fd_length(c, 200);
    const int sizes[2] = {n, m};
    fd_hists x[2];
    double *slopes[2];
    for (int k = 0; k < 2; k++) {
        double *masses = fd_room_for(c, rows * sizes[k]);
        x[k] = (fd_hists){.bins = sizes[k], .step = rows > 1 ? sizes[k] : 0, .masses = masses};
        x[k].high = fd_ascending(c, sizes[k] + 1, 1);
        for (int i = 0; i < rows; i++)
            memcpy(masses + i * sizes[k], fd_weights(c, sizes[k]), (size_t)sizes[k] * sizeof(double));
        slopes[k] = fd_room_for(c, rows * sizes[k]);
    }
    const double p = fd_orders[fd_pick(c, 6)];
    double *value = fd_room_for(c, rows);
    fd_wasserstein_of_hists(&x[0], &x[1], p, 0, rows, value);
    fd_note(c, value, rows);
    if (isinf(p))
        return;
    fd_gradients_of_hists(&x[0], &x[1], p, 0, rows, value, slopes[0], slopes[1]);
    fd_note(c, value, rows);
    fd_note(c, slopes[0], rows * n);
    fd_note(c, slopes[1], rows * m);
}

static void fd_door_of_circles(fd_call *c) {
    const int weighted = fd_pick(c, 2), sizes[2] = {fd_length(c, 120), fd_length(c, 120)};
    const double period = ldexp(1.0 + fd_pick(c, 256) / 256.0, (int)fd_pick(c, 40) - 20);
    fd_arc x[2];
    fd_gradients out;
    for (int k = 0; k < 2; k++) {
        double *points = fd_room_for(c, sizes[k]);
        const double *any = fd_numbers(c, sizes[k], FD_FINITE);
        for (int i = 0; i < sizes[k]; i++)
            points[i] = remainder(any[i], period);
        qsort(points, (size_t)sizes[k], sizeof *points, fd_compare_f64);
        x[k] =
            (fd_arc){points, fd_room_for(c, sizes[k]), weighted ? fd_weights(c, sizes[k]) : NULL, sizes[k]};
        out.values[k] = fd_room_for(c, sizes[k]);
        out.weights[k] = fd_room_for(c, sizes[k]);
    }
    const double p = fd_orders[fd_pick(c, 4)];
    double value[2] = {fd_circle_wasserstein(x[0], x[1], period, 0.0, p)};
    value[1] = fd_circle_gradient(x[0], x[1], period, 0.0, p, &out);
    fd_same("a circle's value beside its gradient", value, value + 1, 1);
    fd_note(c, value, 1);
    for (int k = 0; k < 2; k++) {
        fd_note(c, out.values[k], sizes[k]);
        fd_note(c, out.weights[k], sizes[k]);
    }
}

static void fd_door_of_plans(fd_call *c) {
    const int weighted = fd_pick(c, 2), sizes[2] = {fd_length(c, 400), fd_length(c, 400)};
    fd_samples x[2];
    int64_t *order[2];
    for (int k = 0; k < 2; k++) {
        x[k] = (fd_samples){.length = sizes[k], .real = 1, .values = fd_ascending(c, sizes[k], 0)};
        x[k].weights = weighted ? fd_weights(c, sizes[k]) : NULL;
        order[k] = fd_hold(c, (size_t)sizes[k] * sizeof **order);
        for (int i = 0; i < sizes[k]; i++)
            order[k][i] = i;
    }
    const ptrdiff_t most = sizes[0] + sizes[1] - 1;
    fd_coupling plan = {
        .p = fd_orders[fd_pick(c, 4)], .scale = 0x1p-10, .u_order = order[0], .v_order = order[1]};
    plan.rows = fd_hold(c, (size_t)most * sizeof *plan.rows);
    plan.cols = fd_hold(c, (size_t)most * sizeof *plan.cols);
    plan.mass = fd_room_for(c, most);
    plan.u_potential = fd_room_for(c, sizes[0]);
    plan.v_potential = fd_room_for(c, sizes[1]);
    const int64_t pieces = fd_couple(&x[0], &x[1], &plan);
    if (pieces < 1 || pieces > most)
        abort();
    fd_note(c, plan.mass, pieces);
    fd_note(c, plan.u_potential, sizes[0]);
    const double value = fd_scaled_wasserstein(&x[0], &x[1], plan.p, plan.scale);
    fd_note(c, &value, 1);
}

void (*const fd_transport_doors[FD_TRANSPORT_DOORS])(fd_call *) = {
    fd_door_of_samples, fd_door_of_hists, fd_door_of_circles, fd_door_of_plans, fd_door_of_sources};

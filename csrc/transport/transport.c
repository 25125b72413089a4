/* Rows of samples end to end. Rows are spread over threads; a single long row is cut into chunks instead. */
#include <math.h>
#include <stdlib.h>

#include "core/core.h"
#include "transport/cells.h"
#include "transport/lattice.h"
#include "transport/memory.h"
#include "transport/sweeps.h"
#include "transport/transport.h"

fd_sorts fd_numpy;
int64_t fd_cells_from[2] = {15000, 1000}, fd_tally_from = 1500;

/* What one thread arranges both samples of a row in. */
typedef struct {
    void *values; /* NULL: none taken */
    double *weights;
    ptrdiff_t *order;
} fd_scratch;

static void fd_scratch_free(fd_scratch s) {
    free(s.values);
    free(s.weights);
    free(s.order);
}

/* Its values are NULL where there is no memory. */
static fd_scratch fd_scratch_for(const fd_samples *u, const fd_samples *v) {
    const int64_t n = u->length, m = v->length;
    const size_t all = 8 * (size_t)(n + m) + 8, longest = (size_t)(n > m ? n : m) + 1;
    fd_scratch s = {.values = fd_allocate(all)};
    if (u->weights) {
        s.weights = fd_allocate(all);
        s.order = fd_allocate(longest * sizeof *s.order);
    }
    if (s.values && (!u->weights || (s.weights && s.order)))
        return s;
    fd_scratch_free(s);
    return (fd_scratch){0};
}

static int fd_suits_cells(int64_t n, int64_t m, int weighted, const fd_task *task) {
    const int64_t longest = n > m ? n : m;
    const int asks = task->statistic == FD_KS || (task->statistic == FD_WASSERSTEIN && task->p == 1.0);
    return asks && longest >= fd_cells_from[weighted || task->statistic != FD_WASSERSTEIN];
}

/* Some finite values of both, sorted; how many. */
static int fd_sampled(const fd_source *u, const fd_source *v, double sample[FD_SAMPLE]) {
    const int64_t some = 32 + (u->n + v->n) / 32;
    const int most = some < FD_SAMPLE / 2 ? (int)some : FD_SAMPLE / 2;
    int size = fd_scattered(u, sample, most);
    size += fd_scattered(v, sample + size, most);
    if (size)
        fd_sort_here(sample, size);
    return size;
}

/* Whether so few values may have ties enough to be worth a sample: some are decimals, or two are equal. */
static int fd_seem_few(const fd_source *u, const fd_source *v) {
    double x[16];
    int size = fd_scattered(u, x, 8), decimals = 0, ties = 0;
    size += fd_scattered(v, x + size, 8);
    for (int i = 0; i < size; i++) {
        const double millionths = fabs(x[i]) < 0x1p40 ? x[i] * 1e6 : 0.5;
        decimals += (double)(int64_t)(millionths + copysign(0.5, x[i])) / 1e6 == x[i];
        for (int k = 0; k < i; k++)
            ties += x[k] == x[i];
    }
    return 2 * decimals > size || ties > 1;
}

/* By counting or by cells. 0: done; 1: the values do not suit; -1: no memory. */
static int fd_without_sorting(fd_source *u, const double *a, fd_source *v, const double *b,
                              const fd_task *task, int threads, double *result) {
    const int64_t total = u->n + v->n;
    const int cells = fd_suits_cells(u->n, v->n, a != NULL, task);
    const int tally = !a && total >= fd_tally_from && u->n && v->n && (cells || fd_seem_few(u, v));
    double sample[FD_SAMPLE];
    int status = 1;
    if (!(cells | tally) || u->n == 0 || v->n == 0)
        return 1;
    int size = fd_sampled(u, v, sample);
    if (tally)
        status = fd_tally_statistic(u, v, sample, size, task, threads, result);
    if (fd_long(u) || fd_long(v)) {
        if (status <= 0 || !cells || !fd_exactly(u, v))
            return status;
        size = fd_sampled(u, v, sample);
        if (tally && u->origin) /* as of the doubles that these are now */
            status = fd_tally_statistic(u, v, sample, size, task, threads, result);
    }
    if (status > 0 && cells)
        status = fd_cells_statistic(u, a, v, b, sample, size, task->statistic == FD_KS, threads, result);
    return status;
}

/* One sample of a row. */
typedef struct {
    const void *values;
    const double *weights;
    int64_t n;
} fd_sample;

static fd_sample fd_sample_of(const fd_samples *x, int64_t row) {
    return (fd_sample){(const char *)x->values + 8 * row * x->step,
                       x->weights ? x->weights + row * x->weight_step : NULL, x->length};
}

static double fd_by_sorting(fd_sample u, fd_sample v, int real, const fd_task *task, fd_scratch s) {
    const int64_t n = u.n, m = v.n;
    double *w = s.weights, *z = w ? w + n : NULL;
    if (real) {
        double *room = s.values;
        const double *x = fd_arrange_f64(u.values, &u.weights, n, task->sorted, room, w, s.order);
        const double *y =
            fd_arrange_f64(v.values, &v.weights, m, task->sorted, room ? room + n : NULL, z, s.order);
        return fd_statistic_of_f64(x, u.weights, n, y, v.weights, m, task);
    }
    uint64_t *room = s.values;
    const uint64_t *x = fd_arrange_u64(u.values, &u.weights, n, task->sorted, room, w, s.order);
    const uint64_t *y =
        fd_arrange_u64(v.values, &v.weights, m, task->sorted, room ? room + n : NULL, z, s.order);
    return fd_statistic_of_u64(x, u.weights, n, y, v.weights, m, task);
}

/* 0, or -1: no memory. */
static int fd_statistic_of_row(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t row,
                               fd_scratch scratch, int threads, double *result) {
    const fd_sample x = fd_sample_of(u, row), y = fd_sample_of(v, row);
    if (u->real && !task->sorted) {
        fd_source first = {.values = x.values, .n = x.n}, second = {.values = y.values, .n = y.n};
        const int status = fd_without_sorting(&first, x.weights, &second, y.weights, task, threads, result);
        if (status <= 0)
            return status;
    }
    if (task->sorted || scratch.values) {
        *result = fd_by_sorting(x, y, u->real, task, scratch);
        return 0;
    }
    scratch = fd_scratch_for(u, v); /* a row that was meant for cells */
    if (!scratch.values)
        return -1;
    *result = fd_by_sorting(x, y, u->real, task, scratch);
    fd_scratch_free(scratch);
    return 0;
}

/* Several rows by one thread with one scratch, or one by several threads. */
static int fd_statistic_of_span(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t first,
                                int64_t last, int threads, double *result) {
    fd_scratch scratch = {0};
    int status = 0;
    if (!task->sorted && !(u->real && fd_suits_cells(u->length, v->length, u->weights != NULL, task))) {
        scratch = fd_scratch_for(u, v);
        if (!scratch.values)
            return -1;
    }
    for (int64_t row = first; row < last && status == 0; row++)
        status = fd_statistic_of_row(u, v, task, row, scratch, threads, result + row);
    fd_scratch_free(scratch);
    return status;
}

double fd_work_of_row(const fd_samples *u, const fd_samples *v) {
    return (double)(u->length + v->length) * (u->weights ? 20.0 : 4.0);
}

int fd_statistic_of_sources(fd_source *u, fd_source *v, const fd_task *task, double *result) {
    const double work = 4.0 * (double)(u->n + v->n);
    return fd_without_sorting(u, NULL, v, NULL, task, fd_team(work, work / 500e3), result);
}

int fd_statistic_of_rows(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t first,
                         int64_t last, int workers, double *result) {
    const double work = fd_work_of_row(u, v);
    const int64_t rows = last - first;
    int team = rows == 1 ? fd_team(work, work / 500e3) : fd_team(work * (double)rows, (double)rows);
    int status = 0;
    team = 0 < workers && workers < team ? workers : team;
    if (rows == 1 || team == 1)
        return fd_statistic_of_span(u, v, task, first, last, team, result);
#pragma omp parallel for num_threads(team) schedule(static) reduction(+ : status)
    for (int span = 0; span < team; span++)
        status += fd_statistic_of_span(u, v, task, first + rows * span / team,
                                       first + rows * (span + 1) / team, 1, result);
    return status;
}

void fd_order_of(const fd_samples *x, ptrdiff_t *positions, void *values) {
    if (x->real)
        fd_order_f64(x->values, x->length, positions, values);
    else
        fd_order_u64(x->values, x->length, positions, values);
}

int64_t fd_couple(const fd_samples *u, const fd_samples *v, fd_coupling *coupling) {
    const fd_masses a = fd_masses_of(u->weights, u->length), b = fd_masses_of(v->weights, v->length);
    return u->real ? fd_couple_f64(u->values, a, v->values, b, coupling)
                   : fd_couple_u64(u->values, a, v->values, b, coupling);
}

double fd_scaled_wasserstein(const fd_samples *u, const fd_samples *v, double p, double scale) {
    const fd_masses a = fd_masses_of(u->weights, u->length), b = fd_masses_of(v->weights, v->length);
    return u->real ? fd_wasserstein_times_f64(u->values, a, v->values, b, p, scale)
                   : fd_wasserstein_times_u64(u->values, a, v->values, b, p, scale);
}

int fd_like_shares(const fd_source *s) {
    double total = 0.0, room[64];
    for (int64_t start = 0; start < s->n; start += 64) {
        const int length = s->n - start < 64 ? (int)(s->n - start) : 64;
        const double *x = fd_fetch(s, start, length, room);
        for (int i = 0; i < length; i++) {
            total += x[i];
            if (!(x[i] >= 0.0 && total < 1.0 + 1e-9))
                return 0;
        }
    }
    return total > 1.0 - 1e-9;
}

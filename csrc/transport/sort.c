/* Sorting by places. n values whose law has a density fall into 2 n cells or more of equal width, mostly alone:
 * counted, scattered to their cells and put right, with few comparisons that a processor would have to guess
 * (sort_loops.h). More than FD_SORT_FEW are first scattered to parts of some 1024;
 * values that heap up at one end or in the middle (an eighth or a sixteenth of them says so) to parts by their
 * magnitude, within which most laws lie evenly. Heaps that are left (ties) go to NumPy, and
 * everything where its sorts are faster. */
#include <stdlib.h>
#include <string.h>

#include "transport/memory.h"
#include "transport/sort.h"
#include "transport/table.h"

enum {
    FD_SORT_FROM = 96, /* fewer NumPy sorts in networks of vectors */
    FD_PIECE_FROM = 32,
    FD_PARTS_FROM = 1000,
    FD_MOST_PARTS = 4096,
    FD_LOOKED_AT = 64
};

static void fd_sort_by_comparing(const double *x, int64_t n, double *out) {
    memcpy(out, x, (size_t)n * sizeof *x);
    fd_numpy.sort_f64(out, n, NULL);
}

/* What sort_few needs for n values. NULL: no memory. */
static uint16_t *fd_sort_room(int n) { return malloc((size_t)(fd_sort_cells(n) + n) * sizeof(uint16_t)); }

/* `room` as sort_few takes it for FD_SORT_FEW values. */
static void fd_sort_piece(const double *x, int64_t n, double *out, uint16_t *room) {
    if (n < FD_PIECE_FROM) {
        for (int64_t i = 0; i < n; i++)
            fd_insert(x[i], out, i);
    } else if (n < FD_SORT_FROM || n > FD_SORT_FEW ||
               !fd_cell_loops_now->sort_few(x, (int)n, 0.0, out, room)) {
        fd_sort_by_comparing(x, n, out);
    }
}

/* A magnitude that all but a few of the values have or exceed; > 0. */
static double fd_usual_magnitude(const double *x, int64_t n) {
    double some[FD_LOOKED_AT];
    for (int64_t i = 0; i < FD_LOOKED_AT; i++)
        fd_insert(fabs(x[i * (n / FD_LOOKED_AT)]), some, i);
    for (int i = FD_LOOKED_AT / 32; i < FD_LOOKED_AT; i++)
        if (some[i] > 0.0)
            return some[i];
    return 1.0;
}

/* The least magnitude > 0 of some: one in sixty-five or so is smaller. */
static double fd_least_magnitude(const double *x, int64_t n) {
    double least = INFINITY;
    for (int64_t i = 0; i < FD_LOOKED_AT; i++) {
        const double size = fabs(x[i * n / FD_LOOKED_AT]), positive = size > 0.0 ? size : INFINITY;
        least = positive < least ? positive : least;
    }
    return least < INFINITY ? least : 1.0;
}

typedef struct {
    double *parted;
    int64_t *end;
    uint16_t *room;
} fd_sort_scratch;

static int fd_sort_in_parts(const double *x, int64_t n, int64_t size, double least, fd_sort_scratch s,
                            double *out) {
    const int parts = n / size < FD_MOST_PARTS ? (int)(n / size) : FD_MOST_PARTS;
    if (!fd_cell_loops_now->sort_parts(x, n, least, s.parted, s.end, parts))
        return 0;
    for (int k = 0; k < parts; k++) {
        const int64_t first = k ? s.end[k - 1] : 0;
        fd_sort_piece(s.parted + first, s.end[k] - first, out + first, s.room);
    }
    return 1;
}

/* 0: x does not suit, or there is no memory. */
static int fd_sort_by_parts(const double *x, int64_t n, double *out) {
    fd_sort_scratch s = {.parted = fd_allocate(((size_t)n + 1) * sizeof *s.parted),
                         .end = malloc(FD_MOST_PARTS * sizeof *s.end),
                         .room = fd_sort_room(FD_SORT_FEW)};
    const int done = s.parted && s.end && s.room &&
                     ((n > FD_SORT_FEW && fd_sort_in_parts(x, n, 1024, 0.0, s, out)) ||
                      fd_sort_in_parts(x, n, 128, fd_usual_magnitude(x, n), s, out));
    free(s.parted);
    free(s.end);
    free(s.room);
    return done;
}

/* The same in one go. */
static int fd_sort_at_once(const double *x, int n, double *out) {
    enum { ON_STACK = 1024 };
    uint16_t some[3 * ON_STACK], *room = n <= ON_STACK ? some : fd_sort_room(n);
    const int done = room && (fd_cell_loops_now->sort_few(x, n, 0.0, out, room) ||
                              fd_cell_loops_now->sort_few(x, n, fd_least_magnitude(x, n), out, room));
    if (room != some)
        free(room);
    return done;
}

int fd_compresses_fast(void) {
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
    __builtin_cpu_init();
    return __builtin_cpu_is("intel") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq");
#else
    return 0;
#endif
}

void fd_sort_into(const double *x, int64_t n, double *out) {
    if (fd_numpy.is_fast) {
        fd_sort_by_comparing(x, n, out);
        return;
    }
    if (n >= FD_SORT_FROM && n <= FD_SORT_FEW && fd_sort_at_once(x, (int)n, out))
        return;
    if (n < FD_PARTS_FROM || !fd_sort_by_parts(x, n, out))
        fd_sort_by_comparing(x, n, out);
}

void fd_sort_here(double *x, int64_t n) {
    double *sorted = n < FD_SORT_FROM || fd_numpy.is_fast ? NULL : fd_allocate((size_t)n * sizeof *sorted);
    if (!sorted) {
        fd_numpy.sort_f64(x, n, NULL);
        return;
    }
    fd_sort_into(x, n, sorted);
    memcpy(x, sorted, (size_t)n * sizeof *x);
    free(sorted);
}

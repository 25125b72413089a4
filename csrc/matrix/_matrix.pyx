# Many rows against many: rows prepared once, tiles of pairs over threads, the k nearest.
#
# The work is cut into tiles that do not depend on the number of threads, and handed out in batches of some
# 40 ms; between batches signals are looked at, so Ctrl-C stops a long run within 0.3 s.

import math
import time

cimport numpy as cnp
from core cimport attach, fd_here, fd_team
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy, memset
from matrix cimport (
    FD_FORM_DOT,
    FD_FORM_DOTS,
    FD_FORM_JS,
    FD_FORM_L1,
    FD_FORM_PAIRS,
    FD_HISTOGRAMS,
    FD_LANES,
    FD_MOST_ROOMS,
    FD_QUERIES,
    FD_SAMPLES,
    FD_SEGMENT,
    FD_TILE,
    FD_VOID,
    fd_fast_form,
    fd_fetch_for_writing,
    fd_nearest,
    fd_plan,
    fd_plan_finish,
    fd_prepare_rows,
    fd_prepare_sparse,
    fd_room,
    fd_side,
    fd_side_rooms,
    fd_sparse,
    fd_sparse_row,
    fd_square,
    fd_take_row,
    fd_tile,
)
from rows cimport FD_FLOAT32, FD_FLOAT64, FD_N_OPTIONS

import numpy as np

from fastdiv import _rows

cnp.import_array()
attach()

# by name, what a plan can be of: the measures of rows, and two that only a matrix is asked for
cdef dict MEASURES = {name: i for i, name in enumerate(_rows.MEASURES)}
MEASURES.update(histograms=FD_HISTOGRAMS, samples=FD_SAMPLES)

# rough nanoseconds a bin, to decide whether threads are worth it and how much to do between signals
cdef dict COST = {FD_FORM_PAIRS: 3.0, FD_FORM_JS: 0.8, FD_FORM_DOT: 0.06, FD_FORM_DOTS: 0.12, FD_FORM_L1: 0.1}
cdef double PATIENCE = 0.04  # seconds between looks at signals


cdef class Plan:
    """A measure with its options for rows of one length: what is prepared, and how pairs are finished.

    `order` is that of transport, `support` the places of the bins; `compressed`: for rows that are mostly
    empty.
    """

    cdef fd_plan c
    cdef readonly str measure
    cdef object support

    @property
    def width(self):
        return self.c.width

    def __init__(self, measure, options, Py_ssize_t n_bins, bint single, double order=1.0,
                 support=None, bint compressed=False):
        cdef double *field = <double *>&self.c.options
        for i in range(FD_N_OPTIONS):
            field[i] = options[i]
        self.measure = str(measure)  # which may be one of NumPy's
        self.c.measure = MEASURES[measure]
        plain = self.c.options.normalize or measure == "samples"
        if measure.startswith("js") and self.c.options.w_p != 0.5 or order != 1.0:
            plain = False
        if measure == "renyi_divergence" and not (0 < self.c.options.alpha <= 50 and
                                                  abs(self.c.options.alpha - 1) >= 0.05):
            plain = False
        self.c.form = fd_fast_form(self.c.measure) if plain else FD_FORM_PAIRS
        self.c.single = single
        self.c.n_bins = n_bins
        # a share is near 1 on it; of rows that are mostly empty no more is known, and nothing is asked of their
        # entries, so that no bit depends on the rows beside a pair
        self.c.scale = 2.0 ** round(0.5 * math.log2(n_bins) + 1 if compressed else math.log2(n_bins))
        self.c.order = order
        if support is not None:
            self.support = np.ascontiguousarray(support, np.float64)
            self.c.support = <const double *>cnp.PyArray_DATA(self.support)
        fd_plan_finish(&self.c)


cdef int team_of(double nanoseconds, double items, int workers) noexcept:
    """Threads for a batch; `workers` is the caller's own limit, 0 for none."""
    cdef int team
    if workers > 0 and not fd_here.forked:
        team = <int>min(min(nanoseconds / 40e3, items), <double>workers)
        return max(team, 1)
    return fd_team(nanoseconds, items)


cdef struct Batches:
    Py_ssize_t n, start, end  # pieces, and those of this batch
    Py_ssize_t size, top      # of a batch that takes some 40 ms, and at most
    double each, began
    int workers, most, team   # most: threads that need room; team: for this batch


cdef Batches batches_of(Py_ssize_t n, double each, double slowest, int workers) noexcept:
    """`n` pieces in batches between which signals are looked at.

    A piece is thought to take `each` nanoseconds, `slowest` if all its pairs have to be done again: a batch must
    not outlast a user's patience then either.
    """
    cdef Batches batch
    cdef double enough
    batch.n, batch.start, batch.end, batch.each, batch.workers = n, 0, 0, each, workers
    batch.most = batch.team = team_of(each * n, n, workers)
    enough = 2.5 * PATIENCE * 1e9 * batch.most
    batch.top = max(batch.most, <Py_ssize_t>min(<double>n, enough / slowest))
    batch.size = max(batch.most, <Py_ssize_t>min(<double>batch.top, 0.2 * enough / each))
    batch.began = 0.0
    return batch


cdef bint next_batch(Batches *batch) except -1:
    """On to the next batch; 0 if there is none."""
    cdef double now = time.perf_counter(), growth
    if batch.end > 0:
        PyErr_CheckSignals()
        if batch.end - batch.start == batch.size:
            growth = min(2.0, PATIENCE / max(now - batch.began, 1e-9))
            batch.size = max(batch.most, min(batch.top, <Py_ssize_t>(batch.size * growth)))
    batch.start, batch.end, batch.began = batch.end, min(batch.n, batch.end + batch.size), now
    batch.team = min(batch.most, team_of(batch.each * (batch.end - batch.start), batch.end - batch.start,
                                         batch.workers))
    return batch.start < batch.n


cdef class Rows:
    """Rows prepared for a plan as first arguments (`left`), second (`right`) or both; `bounds`: for nearest.

    `array` is two-dimensional, float32 or float64, native and of any strides; it is not copied.
    """

    cdef fd_side c
    cdef readonly object array
    cdef list kept

    def __init__(self, Plan plan, array, bint left, bint right, int workers=0, bint bounds=False):
        cdef Py_ssize_t i, step, n = array.shape[0]
        cdef fd_room rooms[FD_MOST_ROOMS]
        self.kept = []
        self.array = array
        self.c.data = <const char *>cnp.PyArray_DATA(array)
        self.c.row_step, self.c.bin_step = array.strides
        self.c.n_rows = n
        self.c.scalar = FD_FLOAT32 if array.dtype == np.float32 else FD_FLOAT64
        for i in range(fd_side_rooms(&plan.c, &self.c, left, right, bounds, rooms)):
            (<void **>(<char *>&self.c + rooms[i].place))[0] = self.room(rooms[i].bytes, rooms[i].written)
        cdef double each = 10.0 * plan.c.n_bins
        cdef int team = team_of(each * n, n, workers)
        step = FD_LANES  # at once: a panel, or such a part that every thread has its share, and Ctrl-C is heard
        while 1 < step and ((1 < team and n < 4 * step * team) or each * step > 1e9 * PATIENCE):
            step //= 2
        cdef Batches batch = batches_of((n + step - 1) // step, each * step, 3.0 * each * step, workers)
        while next_batch(&batch):
            with nogil:
                for i in prange(batch.start, batch.end, schedule="static", num_threads=batch.team):
                    fd_prepare_rows(&plan.c, &self.c, i * step, <int>min(step, n - i * step))

    cdef void *room(self, Py_ssize_t size, Py_ssize_t written) except NULL:
        """What begins a cache line, is zeros after the bytes that are written, and lives as long as this."""
        space = np.empty(size + 128, np.uint8)
        self.kept.append(space)
        cdef char *begin = <char *>((<size_t>cnp.PyArray_DATA(space) + 63) // 64 * 64)
        memset(begin + written, 0, size - written)
        return begin

    def __len__(self):
        return self.c.n_rows

    def void_rows(self):
        """The rows that are no distribution."""
        cdef Py_ssize_t i
        return [i for i in range(self.c.n_rows) if self.c.kind[i] == FD_VOID]


cdef struct Grid:
    Py_ssize_t i, j, n_i, n_j  # the rows of either side that are compared
    Py_ssize_t tile_i, tile_j
    Py_ssize_t down            # tiles below one another; counted that way, so that threads write to other rows
    int half                   # only pairs above the diagonal: i and j are the same rows


cdef Grid grid_of(Plan plan, Py_ssize_t i, Py_ssize_t n_i, Py_ssize_t j, Py_ssize_t n_j, int half) noexcept:
    """Tiles of FD_TILE x FD_TILE; fewer rows where rows are so long that one would take more than 10 ms."""
    cdef Grid grid
    cdef double cost = COST[plan.c.form] * plan.c.n_bins
    grid.i, grid.j, grid.n_i, grid.n_j, grid.half = i, j, n_i, n_j, half
    grid.tile_j = FD_TILE if cost * FD_TILE < 1e7 else FD_LANES
    grid.tile_i = <Py_ssize_t>max(1.0, min(<double>FD_TILE, 1e7 / (cost * grid.tile_j)))
    if half:
        grid.tile_i = grid.tile_j
    grid.down = (n_i + grid.tile_i - 1) // grid.tile_i
    return grid


cdef void one_tile(const fd_plan *plan, const fd_side *a, const fd_side *b, const Grid *grid, Py_ssize_t t,
                   char *out, Py_ssize_t row_step, bint is_float32, bint condensed, double *space,
                   Py_ssize_t *again) noexcept nogil:
    """Tile t of the grid, written to `out` (and mirrored, where half of a symmetric matrix is computed)."""
    cdef Py_ssize_t i = t % grid.down * grid.tile_i, j = t // grid.down * grid.tile_j, row, column, size
    cdef int n_i = <int>min(grid.tile_i, grid.n_i - i), n_j = <int>min(grid.tile_j, grid.n_j - j)
    if grid.half and j + n_j <= i:
        return
    size = sizeof(float) if is_float32 else sizeof(double)
    for row in range(n_i if not condensed else 0):
        fd_fetch_for_writing(out + (i + row) * row_step + j * size, n_j * size)
    again[0] += fd_tile(plan, a, grid.i + i, n_i, b, grid.j + j, n_j, space, space + FD_TILE * FD_TILE)
    for row in range(n_i):
        if condensed:  # only what is right of the diagonal
            column = max(<Py_ssize_t>0, i + row + 1 - j)
            copy_row(out + size * ((i + row) * (2 * grid.n_i - i - row - 1) // 2 + j + column - i - row - 1),
                     space + row * FD_TILE + column, n_j - column, size, is_float32)
            continue
        copy_row(out + (i + row) * row_step + j * size, space + row * FD_TILE, n_j, size, is_float32)
        if grid.half and j > i:
            for column in range(n_j):
                copy_row(out + (j + column) * row_step + (i + row) * size, space + row * FD_TILE + column, 1,
                         size, is_float32)


cdef inline void copy_row(char *out, const double *values, Py_ssize_t n, Py_ssize_t size,
                          bint is_float32) noexcept nogil:
    cdef Py_ssize_t i
    if is_float32:
        for i in range(n):
            (<float *>out)[i] = <float>values[i]
    else:
        memcpy(out, values, n * sizeof(double))


def fill(Plan plan, Rows a, Rows b, out, Py_ssize_t i=0, n_i=None, bint half=False, int workers=0,
         progress=None):
    """Rows [i, i + n_i) of `a` against all of `b` into `out`: (n_i, len(b)), or one-dimensional, condensed.

    `out` is contiguous and native. `half`: `a` is `b` and the measure symmetric. Returns how many pairs the
    fast form lost digits of. `progress(done)` is told how much of the work is done, 0 to 1.
    """
    cdef Grid grid = grid_of(plan, i, len(a) - i if n_i is None else n_i, 0, len(b), half)
    cdef Py_ssize_t n_tiles = (grid.n_j + grid.tile_j - 1) // grid.tile_j * grid.down
    cdef Py_ssize_t t, row_step = out.strides[0], stride = 3 * FD_TILE * FD_TILE + 8
    cdef bint is_float32 = out.dtype == np.float32, condensed = out.ndim == 1
    cdef char *target = <char *>cnp.PyArray_DATA(out)
    cdef double pairs = <double>plan.c.n_bins * min(grid.tile_i, grid.n_i) * min(grid.tile_j, grid.n_j)
    cdef Batches batch = batches_of(n_tiles, COST[plan.c.form] * pairs, COST[FD_FORM_PAIRS] * pairs, workers)
    space_array = np.empty((batch.most, stride))
    counts = np.zeros(batch.most * 8, np.intp)
    cdef double *space = <double *>cnp.PyArray_DATA(space_array)
    cdef Py_ssize_t *again = <Py_ssize_t *>cnp.PyArray_DATA(counts)
    while next_batch(&batch):
        with nogil:
            if batch.team == 1:
                for t in range(batch.start, batch.end):
                    one_tile(&plan.c, &a.c, &b.c, &grid, t, target, row_step, is_float32, condensed, space,
                             again)
            else:
                for t in prange(batch.start, batch.end, schedule="dynamic", num_threads=batch.team):
                    one_tile(&plan.c, &a.c, &b.c, &grid, t, target, row_step, is_float32, condensed,
                             space + threadid() * stride, again + threadid() * 8)
        if progress is not None:
            progress(batch.end / n_tiles)
    cdef Py_ssize_t total = 0
    for t in range(batch.most):
        total += again[8 * t]
    return total


def square(condensed, matrix, bint is_to_matrix):
    """From one to the other: contiguous arrays of one dtype, no objects."""
    cdef char *first = <char *>cnp.PyArray_DATA(condensed)
    cdef char *second = <char *>cnp.PyArray_DATA(matrix)
    cdef Py_ssize_t n = matrix.shape[0], size = matrix.itemsize
    with nogil:
        fd_square(first, second, n, size, is_to_matrix)


# ---- nearest --------------------------------------------------------------------------------------------

def nearest(Plan plan, Rows a, Rows b, Py_ssize_t k, int workers=0):
    """The k rows of `b` nearest to each row of `a`: values and indices, sorted by value, then index.

    Bounds are used where both sides were prepared with them.
    """
    cdef Py_ssize_t n = len(a), m = len(b), block, n_blocks = (n + FD_QUERIES - 1) // FD_QUERIES
    cdef Py_ssize_t i, j, step, room
    cdef Batches batch
    values_array, indices_array = np.full((n, k), np.nan), np.full((n, k), -1, np.intp)
    counts_array = np.zeros(n, np.intp)
    cdef double *values = <double *>cnp.PyArray_DATA(values_array)
    cdef Py_ssize_t *indices = <Py_ssize_t *>cnp.PyArray_DATA(indices_array)
    cdef Py_ssize_t *counts = <Py_ssize_t *>cnp.PyArray_DATA(counts_array)
    cdef double cost = max(COST[plan.c.form], 0.5) * plan.c.n_bins * FD_QUERIES
    cdef int most
    # a segment takes some 20 ms if its rows are all within reach
    step = <Py_ssize_t>max(<double>FD_TILE, min(<double>FD_SEGMENT, 2e7 / cost // FD_TILE * FD_TILE))
    cost *= min(step, m)
    most = team_of(cost * n_blocks, n_blocks, workers)
    room = FD_QUERIES * FD_SEGMENT if a.c.roots != NULL or a.c.groups != NULL else 3 * FD_TILE * FD_TILE
    space_array, first_array = np.empty((most, room)), np.empty((most, k))
    first_indices_array = np.empty((most, k), np.intp)
    cdef double *space = <double *>cnp.PyArray_DATA(space_array)
    cdef double *first = <double *>cnp.PyArray_DATA(first_array)
    cdef Py_ssize_t *first_indices = <Py_ssize_t *>cnp.PyArray_DATA(first_indices_array)
    for j in range(0, m, step):
        batch = batches_of(n_blocks, cost, 6.0 * cost, workers)
        while next_batch(&batch):
            with nogil:
                for block in prange(batch.start, batch.end, schedule="dynamic", num_threads=batch.team):
                    i = block * FD_QUERIES
                    fd_nearest(&plan.c, &a.c, i, <int>min(<Py_ssize_t>FD_QUERIES, n - i), &b.c, j,
                               min(step, m - j), k, values + i * k, indices + i * k, counts + i,
                               space + threadid() * room, first + threadid() * k,
                               first_indices + threadid() * k)
    return values_array, indices_array


# ---- rows that are mostly empty -------------------------------------------------------------------------


cdef class SparseRows:
    """Compressed rows prepared for a plan: `start` int64, `bins` int32, increasing in a row, masses float64.

    `right`: they are second arguments, and their entries are also kept by bin, of which there are `n_bins`.
    """

    cdef fd_sparse c
    cdef list kept

    def __init__(self, Plan plan, start, bins, mass, bint right, Py_ssize_t n_bins):
        cdef Py_ssize_t i, n = start.size - 1
        cdef int team = team_of(20.0 * mass.size, n, 0)
        self.kept = [start, bins, mass]
        self.c.n_rows = n
        self.c.most = np.diff(start).max(initial=0)
        self.c.start = <const int64_t *>cnp.PyArray_DATA(start)
        self.c.bin = <const int32_t *>cnp.PyArray_DATA(bins)
        self.c.mass = <const double *>cnp.PyArray_DATA(mass)
        left_array, right_array = np.zeros(mass.size), np.zeros(mass.size)
        self.c.left, self.c.right = <double *>self.keep(left_array), <double *>self.keep(right_array)
        self.c.constant, self.c.limit = <double *>self.keep(np.zeros(n)), <double *>self.keep(np.zeros(n))
        self.c.kind = <uint8_t *>self.keep(np.zeros(n, np.uint8))
        if right:
            counts = np.bincount(bins, minlength=n_bins)
            self.c.bin_start = <int64_t *>self.keep(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
        with nogil:
            for i in prange(n, schedule="static", num_threads=team):
                fd_prepare_sparse(&plan.c, &self.c, i)
        if right:
            order = np.argsort(bins, kind="stable")
            row_of = np.repeat(np.arange(n, dtype=np.int32), np.diff(start))[order]
            self.c.row_of = <int32_t *>self.keep(row_of)
            self.c.left_of = <double *>self.keep(left_array[order])
            self.c.right_of = <double *>self.keep(right_array[order])

    cdef void *keep(self, array) except? NULL:
        self.kept.append(array)
        return cnp.PyArray_DATA(array)

    def __len__(self):
        return self.c.n_rows

    def void_rows(self):
        """The rows that are no distribution."""
        cdef Py_ssize_t i
        return [i for i in range(self.c.n_rows) if self.c.kind[i] == FD_VOID]


cdef void one_sparse_row(const fd_plan *plan, const fd_sparse *a, const fd_sparse *b, Py_ssize_t i, char *out,
                         Py_ssize_t row_step, bint is_float32, bint condensed, Py_ssize_t k, double *values,
                         Py_ssize_t *indices, Py_ssize_t *counts, double *row, int32_t *shared,
                         double *terms) noexcept nogil:
    """Row i to `out`, or to its list of the k nearest."""
    cdef Py_ssize_t n = b.n_rows, size
    fd_sparse_row(plan, a, i, b, row, shared, terms)
    if k:
        fd_take_row(row, n, plan.single, k, values + i * k, indices + i * k, counts + i)
        return
    size = sizeof(float) if is_float32 else sizeof(double)
    if condensed:
        copy_row(out + size * (i * (2 * n - i - 1) // 2), row + i + 1, n - i - 1, size, is_float32)
    else:
        copy_row(out + i * row_step, row, n, size, is_float32)


def sparse(Plan plan, SparseRows a, SparseRows b, out=None, Py_ssize_t k=0, int workers=0, progress=None):
    """All of `a` against all of `b` into `out` (as in `fill`), or the k nearest: values and indices."""
    cdef Py_ssize_t n = len(a), m = len(b), i
    cdef bint is_float32 = out is not None and out.dtype == np.float32
    cdef bint condensed = out is not None and out.ndim == 1
    cdef char *target = <char *>cnp.PyArray_DATA(out) if out is not None else NULL
    cdef Py_ssize_t row_step = out.strides[0] if out is not None else 0, room
    values_array, indices_array = np.full((n, k), np.nan), np.full((n, k), -1, np.intp)
    counts_array = np.zeros(n, np.intp)
    cdef double *values = <double *>cnp.PyArray_DATA(values_array)
    cdef Py_ssize_t *indices = <Py_ssize_t *>cnp.PyArray_DATA(indices_array)
    cdef Py_ssize_t *counts = <Py_ssize_t *>cnp.PyArray_DATA(counts_array)
    cdef double cost = 20.0 * (2.0 * m + 1.0)
    cdef Batches batch = batches_of(n, cost, 10.0 * cost, workers)
    cdef int most = batch.most
    room = 3 * max(m, a.c.most + b.c.most)
    rows_array, shared_array = np.empty((most, m)), np.empty((most, m), np.int32)
    terms_array = np.empty((most, room))
    cdef double *rows = <double *>cnp.PyArray_DATA(rows_array)
    cdef double *terms = <double *>cnp.PyArray_DATA(terms_array)
    cdef int32_t *shared = <int32_t *>cnp.PyArray_DATA(shared_array)
    while next_batch(&batch):
        with nogil:
            for i in prange(batch.start, batch.end, schedule="dynamic", num_threads=batch.team):
                one_sparse_row(&plan.c, &a.c, &b.c, i, target, row_step, is_float32, condensed, k, values,
                               indices, counts, rows + threadid() * m, shared + threadid() * m,
                               terms + threadid() * room)
        if progress is not None:
            progress(batch.end / n)
    return values_array, indices_array

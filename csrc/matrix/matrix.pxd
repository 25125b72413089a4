# What Cython sees of matrix.h.

from libc.stdint cimport int32_t, int64_t, uint8_t
from rows cimport fd_options, fd_scalar

cdef extern from "matrix/matrix.h" nogil:
    ctypedef enum fd_form:
        FD_FORM_PAIRS
        FD_FORM_JS
        FD_FORM_DOT
        FD_FORM_DOTS
        FD_FORM_L1
    enum:
        FD_LANES
        FD_MOST_ROOMS
        FD_TILE
        FD_QUERIES
        FD_SEGMENT
        FD_HISTOGRAMS
        FD_SAMPLES
        FD_VOID
    ctypedef struct fd_plan:
        int measure
        fd_form form
        int single, needs_support
        fd_options options
        Py_ssize_t n_bins, width
        double scale, order
        const double *support
    ctypedef struct fd_side:
        const char *data
        Py_ssize_t row_step, bin_step, n_rows
        fd_scalar scalar
        float *roots
        double *groups
        uint8_t *kind
    ctypedef struct fd_room:
        size_t place
        Py_ssize_t bytes, written
    int fd_side_rooms(const fd_plan *plan, const fd_side *side, int is_left, int is_right, int bounds,
                      fd_room *rooms)
    void fd_fetch_for_writing(void *start, Py_ssize_t size)
    fd_form fd_fast_form(int measure)
    void fd_plan_finish(fd_plan *plan)
    void fd_prepare_rows(const fd_plan *plan, const fd_side *side, Py_ssize_t first, int rows)
    Py_ssize_t fd_tile(const fd_plan *plan, const fd_side *a, Py_ssize_t i, int n_i, const fd_side *b,
                       Py_ssize_t j, int n_j, double *values, double *scratch)
    void fd_nearest(const fd_plan *plan, const fd_side *a, Py_ssize_t i, int n_i, const fd_side *b,
                    Py_ssize_t j, Py_ssize_t n, Py_ssize_t k, double *values, Py_ssize_t *indices,
                    Py_ssize_t *counts, double *space, double *first, Py_ssize_t *first_indices)
    void fd_square(char *condensed, char *matrix, Py_ssize_t n, Py_ssize_t size, int is_to_matrix)
    void fd_take_row(const double *row, Py_ssize_t n, int single, Py_ssize_t k, double *values,
                     Py_ssize_t *indices, Py_ssize_t *count)

cdef extern from "matrix/sparse.h" nogil:
    ctypedef struct fd_sparse:
        Py_ssize_t n_rows, most
        const int64_t *start
        const int32_t *bin
        const double *mass
        double *left
        double *right
        double *constant
        double *limit
        uint8_t *kind
        int64_t *bin_start
        int32_t *row_of
        double *left_of
        double *right_of
    void fd_prepare_sparse(const fd_plan *plan, const fd_sparse *side, Py_ssize_t i)
    void fd_sparse_row(const fd_plan *plan, const fd_sparse *a, Py_ssize_t i, const fd_sparse *b,
                       double *values, int32_t *shared, double *terms)

# What Cython sees of transport.h.

from libc.stdint cimport int64_t, uint64_t

cdef extern from "transport/sort.h" nogil:
    ctypedef int fd_sort(void *values, Py_ssize_t n, void *array)
    ctypedef int fd_argsort(void *values, Py_ssize_t *order, Py_ssize_t n, void *array)
    ctypedef struct fd_sorts:
        fd_sort *sort_f64
        fd_sort *sort_u64
        fd_argsort *argsort_f64
        fd_argsort *argsort_u64
        bint is_fast
    fd_sorts fd_numpy
    int fd_compresses_fast()
    void fd_sort_into(const double *x, int64_t n, double *out)

cdef extern from "transport/mass.h" nogil:
    double fd_largest_weight(const double *w, int64_t n)

cdef extern from "transport/source.h" nogil:
    ctypedef enum fd_kind:
        FD_F64
        FD_F32
        FD_I8
        FD_U8
        FD_I16
        FD_U16
        FD_I32
        FD_U32
        FD_I64
        FD_U64
    ctypedef struct fd_source:
        const void *values
        int64_t n
        fd_kind kind
        uint64_t origin

cdef extern from "transport/nested.h" nogil:
    ctypedef struct fd_nested:
        uint64_t *keys
        uint64_t *counts
        uint64_t *low
        uint64_t *high
        uint64_t *first
        uint64_t *last
        int64_t n
    cdef struct fd_nests:
        pass
    void fd_nested_apart(const double *x, int64_t n, int64_t *apart)
    int64_t fd_nested_count(const double *x, int64_t n, int k)
    void fd_nested_fill(const double *x, int64_t n, int k, const fd_nested *cells)
    fd_nests *fd_nests_of(const fd_source *x, int k)
    int64_t fd_nests_occupied(const fd_nests *nests)
    void fd_nests_fill(const fd_nests *nests, const fd_nested *cells)
    void fd_nests_free(fd_nests *nests)
    int fd_nested_means(const fd_nested *cells, int k, double *means)
    void fd_nested_distance(const fd_nested *u, const fd_nested *v, int k, double shrink, double *value,
                            double *bound)

cdef extern from "transport/transport.h" nogil:
    ctypedef enum fd_statistic:
        FD_WASSERSTEIN
        FD_CRAMER
        FD_ENERGY
        FD_KS
    ctypedef struct fd_task:
        fd_statistic statistic
        double p
        bint omit
        bint sorted
    ctypedef struct fd_samples:
        const void *values
        const double *weights
        int64_t length, step, weight_step
        bint real
    int64_t fd_cells_from[2]
    int64_t fd_tally_from
    double fd_work_of_row(const fd_samples *u, const fd_samples *v)
    int fd_statistic_of_rows(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t first,
                             int64_t last, int workers, double *result)
    int fd_statistic_of_sources(fd_source *u, fd_source *v, const fd_task *task, double *result)
    ctypedef struct fd_gradients:
        double *value
        double *values[2]
        double *weights[2]
    double fd_work_of_gradient(const fd_samples *u, const fd_samples *v)
    int fd_gradient_of_rows(const fd_samples *u, const fd_samples *v, const fd_task *task, int64_t first,
                            int64_t last, const fd_gradients *out)
    void fd_order_of(const fd_samples *x, Py_ssize_t *positions, void *values)

    ctypedef struct fd_coupling:
        double p, scale
        const int64_t *u_order
        const int64_t *v_order
        int64_t *rows
        int64_t *cols
        double *mass
        double *u_potential
        double *v_potential
        double cost, largest
    int64_t fd_couple(const fd_samples *u, const fd_samples *v, fd_coupling *coupling)
    double fd_scaled_wasserstein(const fd_samples *u, const fd_samples *v, double p, double scale)

    ctypedef struct fd_arc:
        const double *high
        const double *low
        const double *weights
        int64_t n
    double fd_circle_wasserstein(fd_arc u, fd_arc v, double period, double period_low, double p)
    double fd_circle_gradient(fd_arc u, fd_arc v, double period, double period_low, double p,
                              const fd_gradients *out)

    ctypedef struct fd_hists:
        const double *high
        const double *low
        const double *masses
        const double *masses_low
        int64_t bins, step
    double fd_work_of_hist(const fd_hists *u, const fd_hists *v)
    void fd_wasserstein_of_hists(const fd_hists *u, const fd_hists *v, double p, int64_t first, int64_t last,
                                 double *result)
    void fd_gradients_of_hists(const fd_hists *u, const fd_hists *v, double p, int64_t first, int64_t last,
                               double *value, double *by_u, double *by_v)
    int fd_like_shares(const fd_source *x)

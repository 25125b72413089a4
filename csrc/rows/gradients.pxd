# What Cython sees of gradient.h and logits.h.

from rows cimport fd_measure, fd_options, fd_view

cdef extern from "rows/gradient.h" nogil:
    int fd_has_slope_lanes(fd_measure measure, Py_ssize_t n, const fd_options *options)
    void fd_gradients(fd_measure measure, fd_view p, Py_ssize_t p_step, fd_view q, Py_ssize_t q_step, int rows,
                      Py_ssize_t n, const fd_options *options, double *values, double *by_p, Py_ssize_t p_pitch,
                      double *by_q, Py_ssize_t q_pitch)
    double fd_js_stack_gradient(fd_measure measure, fd_view first, Py_ssize_t step, Py_ssize_t m,
                                const double *weights, Py_ssize_t n, const fd_options *options, double *by_rows)

cdef extern from "rows/logits.h" nogil:
    void fd_logits_cross_entropies(fd_view p, Py_ssize_t p_step, fd_view q, Py_ssize_t q_step, int rows,
                                   Py_ssize_t n, const fd_options *options, double *values, double *by_p,
                                   Py_ssize_t p_pitch, double *by_q, Py_ssize_t q_pitch)
    void fd_label_cross_entropies(const Py_ssize_t *labels, fd_view q, Py_ssize_t step, int rows, Py_ssize_t n,
                                  const fd_options *options, double *values, double *by_q, Py_ssize_t pitch)

# What Cython sees of gradient.h and logits.h.

from rows cimport fd_measure, fd_options, fd_view

cdef extern from "rows/gradient.h" nogil:
    double fd_gradient(fd_measure measure, fd_view p, fd_view q, Py_ssize_t n, const fd_options *options,
                       double *by_p, double *by_q)
    double fd_js_stack_gradient(fd_measure measure, fd_view first, Py_ssize_t step, Py_ssize_t m,
                                const double *weights, Py_ssize_t n, const fd_options *options, double *by_rows)

cdef extern from "rows/logits.h" nogil:
    double fd_logits_cross_entropy(fd_view p, fd_view q, Py_ssize_t n, const fd_options *options, double *by_p,
                                   double *by_q)
    double fd_label_cross_entropy(Py_ssize_t label, fd_view q, Py_ssize_t n, const fd_options *options,
                                  double *by_q)

/* Condensed matrices and whole ones: numbers of any size, moved as bytes. */
#include <string.h>

#include "matrix/matrix.h"

enum {
    FD_SQUARE = 32
}; /* rows and columns that are mirrored at once: a line of the cache serves all its numbers */

/* What is right of the diagonal in rows [i, i_end) and columns [j, j_end), to the other side of it. */
static inline void fd_mirror(char *matrix, ptrdiff_t n, ptrdiff_t size, ptrdiff_t i, ptrdiff_t i_end,
                             ptrdiff_t j, ptrdiff_t j_end) {
    for (; i < i_end; i++)
        for (ptrdiff_t k = j > i ? j : i + 1; k < j_end; k++)
            memcpy(matrix + (k * n + i) * size, matrix + (i * n + k) * size, (size_t)size);
}

void fd_square(char *condensed, char *matrix, ptrdiff_t n, ptrdiff_t size, int is_to_matrix) {
    for (ptrdiff_t i = 0; i < n; i++) {
        char *row = matrix + (i * n + i + 1) * size;
        size_t bytes = (size_t)((n - i - 1) * size);
        if (is_to_matrix)
            memcpy(row, condensed, bytes);
        else
            memcpy(condensed, row, bytes);
        condensed += bytes;
    }
    for (ptrdiff_t i = 0; i < n && is_to_matrix; i += FD_SQUARE)
        for (ptrdiff_t j = i; j < n; j += FD_SQUARE) {
            ptrdiff_t i_end = i + FD_SQUARE < n ? i + FD_SQUARE : n,
                      j_end = j + FD_SQUARE < n ? j + FD_SQUARE : n;
            if (size == sizeof(double)) /* known to the compiler, a number is one move */
                fd_mirror(matrix, n, sizeof(double), i, i_end, j, j_end);
            else
                fd_mirror(matrix, n, size, i, i_end, j, j_end);
        }
}

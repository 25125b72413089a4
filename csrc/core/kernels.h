/* The loops of one instruction set (levels/): a table for each floor that has some, declared there (table.h). */
#ifndef FD_KERNELS_H
#define FD_KERNELS_H

typedef struct {
    const char *name;
    const struct fd_row_loops *rows;
    const struct fd_slope_loops *slopes;
    const struct fd_tile_loops *tiles;
    const struct fd_cell_loops *cells;
} fd_kernels;

extern const fd_kernels fd_kernels_base;
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#    define FD_X86 1
extern const fd_kernels fd_kernels_avx2;
extern const fd_kernels fd_kernels_avx512;
#endif

#endif

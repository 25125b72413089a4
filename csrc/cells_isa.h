/* The two passes of cells.h over all values, once for each instruction set. */
#ifndef FD_CELLS_ISA_H
#define FD_CELLS_ISA_H

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#    define FD_X86 1
#endif

struct fd_cells;

typedef struct {
    const char *name;
    void (*count)(struct fd_cells *c, int side, int chunk);
    void (*gather)(struct fd_cells *c, int side, int chunk);
} fd_passes;

extern const fd_passes fd_passes_base;
#ifdef FD_X86
extern const fd_passes fd_passes_avx2, fd_passes_avx512;
#endif

/* The passes in use; fd_choose_passes(NULL) takes the best this CPU has, a name forces some. It returns 0, 1
 * for an unknown name, 2 for an instruction set that this CPU lacks. */
extern const fd_passes *fd_passes_now;
int fd_choose_passes(const char *name);

#endif

/* Haswell, Zen and later. */
#include "cells_isa.h"
#ifdef FD_X86
#    include <math.h>
#    include <stdint.h>
#    include <stdlib.h>
#    include <string.h>
#    ifdef __clang__
#        pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#    else
#        pragma GCC target("avx2,fma,bmi,bmi2")
#    endif
#    include "transport.h"
const fd_passes fd_passes_avx2 = {"avx2", fd_cells_count, fd_cells_gather};
#    ifdef __clang__
#        pragma clang attribute pop
#    endif
#endif

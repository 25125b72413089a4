/* Skylake-X, Ice Lake, Zen 4 and later, at 512 bits. */
#include "cells_isa.h"
#ifdef FD_X86
#    include <math.h>
#    include <stdint.h>
#    include <stdlib.h>
#    include <string.h>
#    ifdef __clang__
#        pragma clang attribute push(                                                                        \
            __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi,bmi2"))),                 \
            apply_to = function)
#    else
#        pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi,bmi2,prefer-vector-width=512")
#    endif
#    include "transport.h"
const fd_passes fd_passes_avx512 = {"avx512", fd_cells_count, fd_cells_gather};
#    ifdef __clang__
#        pragma clang attribute pop
#    endif
#endif

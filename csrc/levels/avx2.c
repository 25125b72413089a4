/* Haswell (2013), Zen and later: 256-bit registers and FMA. */
#include "core/kernels.h"
#ifdef FD_X86
#    include <math.h>
#    include <string.h>
#    ifdef __clang__
#        pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#        define __FMA__ 1
#    else
#        pragma GCC target("avx2,fma,bmi,bmi2")
#    endif
#    define FD_ISA        avx2
#    define FD_DOT_ROWS   2
#    define FD_L1_ROWS    2
#    define FD_L1_COLUMNS 3
#    define FD_L1_LANES   8
#    include "levels/level.h"
#    ifdef __clang__
#        pragma clang attribute pop
#    endif
#endif

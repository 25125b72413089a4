/* Skylake-X, Ice Lake, Zen 4 and later: 512-bit registers, which the compiler must be asked to use. Measured
 * here (Sapphire Rapids class, gcc 12, KL and JS of 512 bins): 1.08 and 1.94 ns a bin at 512 bits, 1.38
 * and 2.50 at 256. */
#include "core/kernels.h"
#ifdef FD_X86
#    include <math.h>
#    include <string.h>
#    ifdef __clang__
#        pragma clang attribute push(                                                                        \
            __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi,bmi2"))),                 \
            apply_to = function)
#        define __FMA__ 1
#    else
#        pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi,bmi2,prefer-vector-width=512")
#    endif
#    define FD_ISA        avx512
#    define FD_AVX512     1
#    define FD_DOT_ROWS   8
#    define FD_L1_ROWS    3
#    define FD_L1_COLUMNS 4
#    define FD_L1_LANES   16
#    include "levels/level.h"
#    ifdef __clang__
#        pragma clang attribute pop
#    endif
#endif

"""Builds the extensions. The only file that knows compilers; everything else is in pyproject.toml.

FASTDIV_OPENMP=0     build a serial library
FASTDIV_COVERAGE=1   build with gcov's counters, at -O1
FASTDIV_SANITIZE=1   build with Address- and UndefinedBehaviorSanitizer and Cython's bounds checks
"""

import os
import sys
import sysconfig
from glob import glob

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

OPENMP = os.environ.get("FASTDIV_OPENMP", "1") != "0"
COVERAGE = os.environ.get("FASTDIV_COVERAGE", "0") != "0"
SANITIZE = os.environ.get("FASTDIV_SANITIZE", "0") != "0"
MACHINE = sysconfig.get_platform().rsplit("-", 1)[-1]  # what is compiled for: _PYTHON_HOST_PLATFORM may say

if sys.platform == "win32":
    compile_args, link_args = ["/O2", "/std:c11"], []
    openmp_compile, openmp_link = ["/openmp"], []
else:
    # No -ffast-math (it would break the inf/NaN rules and flush subnormals in the whole process), no
    # -march=native (each csrc/levels/*.c opens its own instruction set). Contraction is off so that an fma
    # stands exactly where the source says so.
    compile_args = [
        "-std=c11",
        "-O3",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-ffp-contract=off",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
        "-Wno-unused-parameter",
        "-Wno-unknown-pragmas",
        "-Wno-pass-failed",  # clang's: loops it leaves as they are; a & b ? x : y
        "-Wno-bitwise-conditional-parentheses",
    ]
    # Hardening (OpenSSF's guide) that the loops over bins do not feel.
    compile_args += ["-fstack-protector-strong", "-fno-delete-null-pointer-checks"]
    link_args = []
    if sys.platform == "darwin":
        openmp_compile, openmp_link = ["-Xpreprocessor", "-fopenmp"], ["-lomp"]
    else:
        openmp_compile, openmp_link = ["-fopenmp"], ["-fopenmp"]
        compile_args += ["-fstack-clash-protection"]
        link_args += ["-Wl,-z,relro,-z,now,-z,noexecstack"]
        if MACHINE in ("x86_64", "i686"):
            compile_args += ["-fcf-protection=full"]
        elif MACHINE == "aarch64":
            compile_args += ["-mbranch-protection=standard"]
        if "bdist_wheel" in sys.argv and not SANITIZE:  # in-place builds keep their symbols
            link_args += ["-Wl,-s"]
    if SANITIZE:
        sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
        compile_args += ["-g", "-O1", "-U_FORTIFY_SOURCE", "-fno-omit-frame-pointer", *sanitizers]
        link_args += sanitizers
    elif COVERAGE:
        # A branch of a source line counts once, not once for each measure that it is inlined into. A file of
        # several extensions is compiled for each: with one seed, or counts would be lost.
        compile_args += ["-O1", "-U_FORTIFY_SOURCE", "--coverage", "-fprofile-update=atomic"]
        compile_args += ["-fno-inline", "-Dalways_inline=unused", "-frandom-seed=fastdiv"]
        link_args += ["--coverage"]
    else:
        compile_args += ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3"]

if OPENMP:
    compile_args += openmp_compile
    link_args += openmp_link


def extension(name: str, folder: str, *c_sources: str) -> Extension:
    """``fastdiv._<name>`` from ``csrc/<folder>/_<name>.pyx`` and the C files it calls."""
    return Extension(
        f"fastdiv._{name}",
        sources=[f"csrc/{folder}/_{name}.pyx", *(f"csrc/{c}" for c in c_sources)],
        depends=["setup.py", *glob("csrc/*/*.h"), *glob("csrc/*/*.px[di]")],
        include_dirs=["csrc", np.get_include()],
        define_macros=[
            ("_DEFAULT_SOURCE", None),  # madvise and its constants, which -std=c11 hides
            ("NPY_NO_DEPRECATED_API", "NPY_1_25_API_VERSION"),
            ("NPY_TARGET_VERSION", "NPY_1_25_API_VERSION"),
        ],
        extra_compile_args=compile_args,
        extra_link_args=link_args,
    )


CLIENT = "core/client.c"  # attaches to _core, which alone links the loops of every instruction set
EXTENSIONS = [
    extension("core", "core", "core/core.c", "levels/base.c", "levels/avx2.c", "levels/avx512.c"),
    extension("rows", "rows", "rows/rows.c", "rows/lanes.c", "rows/log_lanes.c", "rows/stack.c", CLIENT),
    extension(
        "gradients",
        "rows",
        "rows/rows.c",
        "rows/lanes.c",
        "rows/log_lanes.c",
        "rows/stack.c",
        "rows/again.c",
        "rows/gradient.c",
        "rows/gradient_lanes.c",
        "rows/logits.c",
        CLIENT,
    ),
    extension(
        "matrix",
        "matrix",
        "rows/rows.c",
        "matrix/matrix.c",
        "matrix/limits.c",
        "matrix/prepare.c",
        "matrix/transport_pairs.c",
        "matrix/nearest.c",
        "matrix/sparse.c",
        "matrix/square.c",
        CLIENT,
    ),
    extension(
        "wasserstein",
        "transport",
        "transport/transport.c",
        "transport/cells.c",
        "transport/lattice.c",
        "transport/sort.c",
        "transport/nested.c",
        "transport/nests.c",
        "transport/hist.c",
        "transport/hist_gradient.c",
        "transport/circle.c",
        "transport/gradient.c",
        CLIENT,
    ),
]

setup(
    ext_modules=cythonize(
        EXTENSIONS,
        build_dir="build/cython-checked" if SANITIZE else "build/cython",
        include_path=sorted(glob("csrc/*")),
        compiler_directives={
            "language_level": 3,
            "boundscheck": SANITIZE,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
            "embedsignature": True,
            "embedsignature.format": "python",
            "freethreading_compatible": True,
        },
    ),
)

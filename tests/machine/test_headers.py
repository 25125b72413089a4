"""Every header of csrc/ compiles on its own, but for templates, which say so at their head."""

import shutil
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[2] / "csrc"
GCC = shutil.which("gcc")
PARTS = {"rows/loops_table.h"}  # of loops.h, on AVX-512
FLAGS = "-std=c11 -D_DEFAULT_SOURCE -fsyntax-only -Werror=implicit-function-declaration"
FLAGS += " -DFD_ISA=base -DFD_DOT_ROWS=1 -DFD_L1_ROWS=1 -DFD_L1_COLUMNS=1 -DFD_L1_LANES=1"


def is_template(header):
    head = header.read_text()[:600]
    return "A template over" in head or "A template like" in head


@pytest.mark.skipif(GCC is None or not CSRC.is_dir(), reason="needs gcc and csrc/")
def test_a_header_includes_what_it_uses(tmp_path):
    headers = {h.relative_to(CSRC).as_posix() for h in CSRC.glob("*/*.h") if not is_template(h)} - PARTS
    assert len(headers) > 20
    for i, header in enumerate(sorted(headers)):
        (tmp_path / f"{i}.c").write_text(f'#include "{header}"\n')
    files = [str(tmp_path / f"{i}.c") for i in range(len(headers))]
    compiled = subprocess.run([GCC, *FLAGS.split(), f"-I{CSRC}", *files], capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr

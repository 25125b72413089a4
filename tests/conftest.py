"""What tests of several floors share."""

import pytest

from fastdiv import _core


@pytest.fixture(params=["base", "avx2", "avx512"])
def level(request):
    """Every instruction set that this CPU has, in this process."""
    if request.param not in _core.isa_levels():
        pytest.skip(f"this CPU has no {request.param}")
    before = _core.isa()
    _core.choose_isa(request.param)
    yield request.param
    _core.choose_isa(before)

"""What tests of Dask share."""

import pytest


@pytest.fixture
def here():
    """Graphs are computed in this thread."""
    import dask

    with dask.config.set(scheduler="sync"):
        yield

"""The slow twins: every measure in plain NumPy, readable before fast, to hold the compiled ones against."""

from fastdiv.reference import gan as gan
from fastdiv.reference.barycenter import *  # noqa: F403
from fastdiv.reference.information import *  # noqa: F403
from fastdiv.reference.matrix import *  # noqa: F403
from fastdiv.reference.transport import *  # noqa: F403

# What type checkers see of the names that __init__.py loads on first use; tests/test_packaging.py compares the two.

from fastdiv import reference as reference
from fastdiv._threads import num_threads as num_threads
from fastdiv._threads import set_num_threads as set_num_threads
from fastdiv._threads import show_config as show_config
from fastdiv._version import __version__ as __version__
from fastdiv.information import binary_entropy as binary_entropy
from fastdiv.information import chi_square as chi_square
from fastdiv.information import cross_entropy as cross_entropy
from fastdiv.information import entropy as entropy
from fastdiv.information import hellinger_distance as hellinger_distance
from fastdiv.information import jeffreys_divergence as jeffreys_divergence
from fastdiv.information import js_distance as js_distance
from fastdiv.information import js_divergence as js_divergence
from fastdiv.information import kl_divergence as kl_divergence
from fastdiv.information import renyi_divergence as renyi_divergence
from fastdiv.information import surprisal as surprisal
from fastdiv.information import total_variation as total_variation
from fastdiv.transport import wasserstein_distance as wasserstein_distance
from fastdiv.transport import wasserstein_hist as wasserstein_hist

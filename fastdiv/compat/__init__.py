"""Other libraries' functions under their own names, by fastdiv's kernels: ``fastdiv.compat.scipy``."""

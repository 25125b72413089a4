"""The version, a literal that setup and ``fastdiv.__version__`` both read."""

__version__ = "0.2.0"

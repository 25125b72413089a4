"""Drivers of fastdiv/bench/ that belong to the repository."""

"""The door: what a call may hand over is checked here, once, in one voice, before anything is computed.

``arrays``: what counts as an array of numbers, and labels; ``options``: every option of every function;
``data``: entries that are no mass, weight or probability; ``rows`` and ``samples``: all that measures of rows
and of samples take; ``memory``: whether a result fits.
"""

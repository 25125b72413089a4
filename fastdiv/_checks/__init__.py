"""The door: what a call may hand over is checked here, once, in one voice, before anything is computed.

``arrays``: what counts as an array of numbers, and labels; ``options``: every option of every function;
``samples``: samples with their weights; ``memory``: whether a result fits.
"""

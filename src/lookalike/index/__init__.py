"""Vectors that are searched: one contract, and the engines that keep it.

Nothing here knows of pictures; see :mod:`lookalike.catalogue` for those.
"""

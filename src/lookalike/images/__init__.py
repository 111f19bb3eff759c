"""Bytes in, :class:`~lookalike.types.Picture` out."""

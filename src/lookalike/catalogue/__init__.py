"""A catalogue: pictures that are searched by picture.

Vectors and what belongs to them lie in an index (:mod:`lookalike.index`); here they are made, asked for, and their
answers put in the order that the pictures themselves deserve.
"""

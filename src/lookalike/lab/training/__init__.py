"""What a network learns from pictures of one's own, in pieces; :mod:`lookalike.lab.training.run` puts them together."""

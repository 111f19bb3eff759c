"""Several similarities in, one score and verdict out."""

"""Labelled pairs → thresholds, probabilities and weights, and how far to believe them."""

"""What was measured and fitted, as pages that people look at."""

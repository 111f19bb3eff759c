"""Sets with queries: what is found first."""

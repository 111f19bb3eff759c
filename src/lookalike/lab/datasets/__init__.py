"""Pictures with labels → parts, and pairs."""

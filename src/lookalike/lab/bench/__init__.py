"""Pictures without labels → labelled pairs."""

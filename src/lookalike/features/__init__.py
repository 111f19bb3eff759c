"""Pictures in, features and similarities out: one method, one file."""

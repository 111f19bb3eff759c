"""What people and programs do to a picture."""

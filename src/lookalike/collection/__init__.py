"""Many pictures: what was computed of them is kept, compared all with all, and put into groups."""

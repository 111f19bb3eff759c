"""How good the scores are: labelled pictures, measures, reports, and what is fitted to them."""

"""What is made of the groups that were found: folders, plans, tables and a report."""

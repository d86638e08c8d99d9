"""What a run was made of, so that another person can repeat or doubt it."""

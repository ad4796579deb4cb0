"""What somebody may like next, from what the same people hear."""

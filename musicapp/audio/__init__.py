"""Files in, facts or files out. Knows no web, no database and no queue."""

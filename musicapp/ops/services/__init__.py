"""Acts of the desk. Each writes its line of the audit log in the same transaction; none commits."""

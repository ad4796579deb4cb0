"""One file that holds a site: all rows, the list of its media, its schedule, and what proves that it is whole.

`writing.write_backup` makes it, `restoring.restore` fills a site from it. Rows are written in a form that belongs to no
database, so a site moves from SQLite to PostgreSQL by a backup and a restore.
"""

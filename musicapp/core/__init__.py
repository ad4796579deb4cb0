"""What knows nothing about music: database, events, Celery, Redis, pages, storage, mailer, security."""

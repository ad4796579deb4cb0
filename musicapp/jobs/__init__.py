"""The ledger of background work: every job is a row, Celery only carries tickets."""

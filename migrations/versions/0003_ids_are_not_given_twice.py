"""SQLite gives no id twice

Without AUTOINCREMENT the row after a deleted last one gets its id, and with it the jobs, plays and cached pictures
that name the old row. PostgreSQL's sequences never go back.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "users",
    "user_sessions",
    "invitations",
    "artists",
    "artworks",
    "genres",
    "albums",
    "album_credits",
    "tracks",
    "track_credits",
    "renditions",
    "uploads",
    "jobs",
    "plays",
    "listening_events",
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in TABLES:
        # The checks come along by themselves; told of in table_args they would stand there twice.
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass


def downgrade() -> None:
    """Nothing: the code of 0002 does as well with ids that are not given twice."""

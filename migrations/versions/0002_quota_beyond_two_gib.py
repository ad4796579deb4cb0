"""a user's own quota may be more than 2 GiB

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.alter_column("quota_bytes", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=True)


def downgrade() -> None:
    # What doesn't fit any more falls back to the site's own quota.
    op.execute("UPDATE users SET quota_bytes = NULL WHERE quota_bytes > 2147483647")
    with op.batch_alter_table("users") as users:
        users.alter_column("quota_bytes", existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=True)

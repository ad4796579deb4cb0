"""Notices, the ledger of mails, announcements, the clock, the desk, tallies

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

def upgrade() -> None:
    op.add_column('jobs', sa.Column('request_id', sa.String(length=64), nullable=True))
    op.create_table('bouncing_addresses',
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('bounces', sa.Integer(), nullable=False),
    sa.Column('last_answer', sa.Text(), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('address', name=op.f('pk_bouncing_addresses'))
    )
    op.create_table('periodic_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('task', sa.String(length=120), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('started_by', sa.String(length=40), nullable=False),
    sa.Column('token', sa.String(length=32), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('heartbeat_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('result', sa.JSON(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('traceback', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('running','succeeded','failed','lost')", name=op.f('ck_periodic_runs_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_periodic_runs')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('periodic_runs', schema=None) as batch_op:
        batch_op.create_index('ix_periodic_runs_task_id', ['task', 'id'], unique=False)
        batch_op.create_index('uq_periodic_runs_running', ['task'], unique=True, sqlite_where=sa.text('finished_at IS NULL'), postgresql_where=sa.text('finished_at IS NULL'))

    op.create_table('audit_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('actor_id', sa.Integer(), nullable=True),
    sa.Column('actor_name', sa.String(length=40), nullable=False),
    sa.Column('act', sa.String(length=64), nullable=False),
    sa.Column('subject_kind', sa.String(length=32), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=True),
    sa.Column('subject_words', sa.String(length=200), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('ip_address', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['users.id'], name=op.f('fk_audit_entries_actor_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index('ix_audit_entries_act', ['act', 'id'], unique=False)
        batch_op.create_index('ix_audit_entries_actor_id', ['actor_id', 'id'], unique=False)
        batch_op.create_index('ix_audit_entries_subject', ['subject_kind', 'subject_id', 'id'], unique=False)

    op.create_table('digest_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('outlet', sa.String(length=32), nullable=False),
    sa.Column('frequency', sa.String(length=8), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=True),
    sa.Column('arguments', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(length=120), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("frequency IN ('daily','weekly')", name=op.f('ck_digest_entries_frequency')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_digest_entries_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digest_entries')),
    sa.UniqueConstraint('user_id', 'outlet', 'reason', name=op.f('uq_digest_entries_user_id_outlet_reason')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('digest_entries', schema=None) as batch_op:
        batch_op.create_index('ix_digest_entries_user_id_outlet', ['user_id', 'outlet', 'frequency'], unique=False)

    op.create_table('notices',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=True),
    sa.Column('arguments', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(length=120), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notices_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices')),
    sa.UniqueConstraint('user_id', 'reason', name=op.f('uq_notices_user_id_reason')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('notices', schema=None) as batch_op:
        batch_op.create_index('ix_notices_created_at', ['created_at'], unique=False)
        batch_op.create_index('ix_notices_user_id_id', ['user_id', 'id'], unique=False)
        batch_op.create_index('ix_notices_user_id_read_at', ['user_id', 'read_at'], unique=False)

    op.create_table('notification_preferences',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('outlet', sa.String(length=32), nullable=False),
    sa.Column('frequency', sa.String(length=8), nullable=False),
    sa.CheckConstraint("frequency IN ('off','now','daily','weekly')", name=op.f('ck_notification_preferences_frequency')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notification_preferences_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'kind', 'outlet', name=op.f('pk_notification_preferences'))
    )
    op.create_table('reports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reporter_id', sa.Integer(), nullable=True),
    sa.Column('subject_kind', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('decision_words', sa.Text(), nullable=False),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('open','dismissed','acted')", name=op.f('ck_reports_state')),
    sa.CheckConstraint("subject_kind IN ('user','artist','album','track','playlist')", name=op.f('ck_reports_subject_kind')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_reports_decided_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['reporter_id'], ['users.id'], name=op.f('fk_reports_reporter_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('reports', schema=None) as batch_op:
        batch_op.create_index('ix_reports_reporter_id', ['reporter_id'], unique=False)
        batch_op.create_index('ix_reports_state_id', ['state', 'id'], unique=False)
        batch_op.create_index('ix_reports_subject', ['subject_kind', 'subject_id'], unique=False)
        batch_op.create_index('uq_reports_open', ['reporter_id', 'subject_kind', 'subject_id'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table('announcements',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('artist_id', sa.Integer(), nullable=True),
    sa.Column('title', sa.String(length=150), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('send_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('job_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('result', sa.JSON(), nullable=True),
    sa.CheckConstraint("state IN ('draft','scheduled','queued','sending','delivered','failed','cancelled')", name=op.f('ck_announcements_state')),
    sa.ForeignKeyConstraint(['artist_id'], ['artists.id'], name=op.f('fk_announcements_artist_id_artists'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['author_id'], ['users.id'], name=op.f('fk_announcements_author_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_announcements_job_id_jobs'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_announcements')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('announcements', schema=None) as batch_op:
        batch_op.create_index('ix_announcements_artist_id', ['artist_id', 'id'], unique=False)

    op.create_table('artist_days',
    sa.Column('artist_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('plays', sa.Integer(), nullable=False),
    sa.Column('listeners', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['artist_id'], ['artists.id'], name=op.f('fk_artist_days_artist_id_artists'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('artist_id', 'day', name=op.f('pk_artist_days'))
    )
    with op.batch_alter_table('artist_days', schema=None) as batch_op:
        batch_op.create_index('ix_artist_days_day', ['day'], unique=False)

    op.create_table('artist_silences',
    sa.Column('artist_id', sa.Integer(), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['artist_id'], ['artists.id'], name=op.f('fk_artist_silences_artist_id_artists'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('artist_id', name=op.f('pk_artist_silences'))
    )
    op.create_index('ix_plays_started_at', 'plays', ['started_at'], unique=False)

    op.create_table('deliveries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('job_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=True),
    sa.Column('arguments', sa.JSON(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('recipient', sa.String(length=254), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('reason', sa.String(length=160), nullable=False),
    sa.Column('message_id', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('smtp_answer', sa.Text(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claim_token', sa.String(length=32), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting','sending','sent','failed','suppressed','cancelled')", name=op.f('ck_deliveries_state')),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_deliveries_job_id_jobs'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_deliveries_user_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('reason', name=op.f('uq_deliveries_reason')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.create_index('ix_deliveries_created_at', ['created_at'], unique=False)
        batch_op.create_index('ix_deliveries_job_id_state', ['job_id', 'state', 'id'], unique=False)
        batch_op.create_index('ix_deliveries_kind_id', ['kind', 'id'], unique=False)
        batch_op.create_index('ix_deliveries_recipient', ['recipient'], unique=False)
        batch_op.create_index('ix_deliveries_sent_at', ['sent_at'], unique=False)
        batch_op.create_index('ix_deliveries_state_id', ['state', 'id'], unique=False)
        batch_op.create_index('ix_deliveries_user_id', ['user_id'], unique=False)

    op.create_table('similar_artists',
    sa.Column('artist_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('other_id', sa.Integer(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['artist_id'], ['artists.id'], name=op.f('fk_similar_artists_artist_id_artists'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['other_id'], ['artists.id'], name=op.f('fk_similar_artists_other_id_artists'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('artist_id', 'place', name=op.f('pk_similar_artists'))
    )
    with op.batch_alter_table('similar_artists', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_similar_artists_other_id'), ['other_id'], unique=False)

    op.create_table('track_days',
    sa.Column('track_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('plays', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['track_id'], ['tracks.id'], name=op.f('fk_track_days_track_id_tracks'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('track_id', 'day', name=op.f('pk_track_days'))
    )
    with op.batch_alter_table('track_days', schema=None) as batch_op:
        batch_op.create_index('ix_track_days_day', ['day'], unique=False)

    op.add_column('jobs', sa.Column('worker', sa.String(length=120), nullable=True))
    op.create_index('ix_jobs_finished_at', 'jobs', ['finished_at'], unique=False, sqlite_where=sa.text('finished_at IS NOT NULL'), postgresql_where=sa.text('finished_at IS NOT NULL'))
    op.add_column('albums', sa.Column('taken_down_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('albums', sa.Column('taken_down_reason', sa.Text(), nullable=True))
    op.add_column('albums', sa.Column('taken_down_published_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('users', sa.Column('suspended_reason', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('users', 'suspended_reason')
    for column in ('taken_down_published_at', 'taken_down_reason', 'taken_down_at'):
        op.drop_column('albums', column)
    op.drop_column('jobs', 'request_id')
    op.drop_index('ix_jobs_finished_at', 'jobs')
    op.drop_column('jobs', 'worker')
    with op.batch_alter_table('track_days', schema=None) as batch_op:
        batch_op.drop_index('ix_track_days_day')

    op.drop_table('track_days')
    with op.batch_alter_table('similar_artists', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_similar_artists_other_id'))

    op.drop_table('similar_artists')
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.drop_index('ix_deliveries_user_id')
        batch_op.drop_index('ix_deliveries_state_id')
        batch_op.drop_index('ix_deliveries_sent_at')
        batch_op.drop_index('ix_deliveries_recipient')
        batch_op.drop_index('ix_deliveries_kind_id')
        batch_op.drop_index('ix_deliveries_job_id_state')
        batch_op.drop_index('ix_deliveries_created_at')

    op.drop_table('deliveries')
    op.drop_index('ix_plays_started_at', 'plays')
    op.drop_table('artist_silences')
    with op.batch_alter_table('artist_days', schema=None) as batch_op:
        batch_op.drop_index('ix_artist_days_day')

    op.drop_table('artist_days')
    with op.batch_alter_table('announcements', schema=None) as batch_op:
        batch_op.drop_index('ix_announcements_artist_id')

    op.drop_table('announcements')
    with op.batch_alter_table('reports', schema=None) as batch_op:
        batch_op.drop_index('uq_reports_open', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index('ix_reports_subject')
        batch_op.drop_index('ix_reports_state_id')
        batch_op.drop_index('ix_reports_reporter_id')

    op.drop_table('reports')
    op.drop_table('notification_preferences')
    with op.batch_alter_table('notices', schema=None) as batch_op:
        batch_op.drop_index('ix_notices_user_id_read_at')
        batch_op.drop_index('ix_notices_user_id_id')
        batch_op.drop_index('ix_notices_created_at')

    op.drop_table('notices')
    with op.batch_alter_table('digest_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_digest_entries_user_id_outlet')

    op.drop_table('digest_entries')
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_entries_subject')
        batch_op.drop_index('ix_audit_entries_actor_id')
        batch_op.drop_index('ix_audit_entries_act')

    op.drop_table('audit_entries')
    with op.batch_alter_table('periodic_runs', schema=None) as batch_op:
        batch_op.drop_index('uq_periodic_runs_running', sqlite_where=sa.text('finished_at IS NULL'), postgresql_where=sa.text('finished_at IS NULL'))
        batch_op.drop_index('ix_periodic_runs_task_id')

    op.drop_table('periodic_runs')
    op.drop_table('bouncing_addresses')

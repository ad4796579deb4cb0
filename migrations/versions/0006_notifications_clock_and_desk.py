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


    op.create_table('celery_clockedschedule',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('clocked_time', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_celery_clockedschedule')),
    sqlite_autoincrement=True
    )
    op.create_table('celery_crontabschedule',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('minute', sa.String(length=240), nullable=False),
    sa.Column('hour', sa.String(length=96), nullable=False),
    sa.Column('day_of_week', sa.String(length=64), nullable=False),
    sa.Column('day_of_month', sa.String(length=124), nullable=False),
    sa.Column('month_of_year', sa.String(length=64), nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_celery_crontabschedule')),
    sqlite_autoincrement=True
    )
    op.create_table('celery_intervalschedule',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('every', sa.Integer(), nullable=False),
    sa.Column('period', sa.Enum('days', 'hours', 'minutes', 'seconds', 'microseconds', name='period'), nullable=False),
    sa.CheckConstraint('every >= 1', name=op.f('ck_celery_intervalschedule_every')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_celery_intervalschedule')),
    sqlite_autoincrement=True
    )
    op.create_table('celery_periodictask',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('task', sa.String(length=255), nullable=False),
    sa.Column('args', sa.Text(), nullable=False),
    sa.Column('kwargs', sa.Text(), nullable=False),
    sa.Column('queue', sa.String(length=255), nullable=True),
    sa.Column('exchange', sa.String(length=255), nullable=True),
    sa.Column('routing_key', sa.String(length=255), nullable=True),
    sa.Column('headers', sa.Text(), nullable=True),
    sa.Column('priority', sa.Integer(), nullable=True),
    sa.Column('expires', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expire_seconds', sa.Integer(), nullable=True),
    sa.Column('one_off', sa.Boolean(), nullable=False),
    sa.Column('start_time', sa.DateTime(timezone=True), nullable=True),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('last_run_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('total_run_count', sa.Integer(), nullable=False),
    sa.Column('date_changed', sa.DateTime(timezone=True), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('discriminator', sa.String(length=20), nullable=False),
    sa.Column('schedule_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('priority BETWEEN 0 AND 255', name=op.f('ck_celery_periodictask_priority')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_celery_periodictask')),
    sa.UniqueConstraint('name', name=op.f('uq_celery_periodictask_name')),
    sqlite_autoincrement=True
    )
    op.create_table('celery_periodictaskchanged',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('last_update', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_celery_periodictaskchanged')),
    sqlite_autoincrement=False
    )
    op.create_table('celery_solarschedule',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('event', sa.Enum('dawn_astronomical', 'dawn_nautical', 'dawn_civil', 'sunrise', 'solar_noon', 'sunset', 'dusk_civil', 'dusk_nautical', 'dusk_astronomical', name='solarevent'), nullable=False),
    sa.Column('latitude', sa.Numeric(precision=9, scale=6, decimal_return_scale=6, asdecimal=False), nullable=False),
    sa.Column('longitude', sa.Numeric(precision=9, scale=6, decimal_return_scale=6, asdecimal=False), nullable=False),
    sa.CheckConstraint('latitude BETWEEN -90 AND 90', name=op.f('ck_celery_solarschedule_latitude')),
    sa.CheckConstraint('longitude BETWEEN -180 AND 180', name=op.f('ck_celery_solarschedule_longitude')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_celery_solarschedule')),
    sa.UniqueConstraint('event', 'latitude', 'longitude', name=op.f('uq_celery_solarschedule_event_latitude_longitude')),
    sqlite_autoincrement=True
    )
    # A playlist's "mail me" becomes a preference, for all playlists. Who had asked keeps the others muted; for everybody
    # else nothing is muted, and the preference is off until they choose.
    op.execute(
        "INSERT INTO notification_preferences (user_id, kind, outlet, frequency) "
        "SELECT user_id, 'playlist_changed', 'mail', 'daily' FROM playlist_members WHERE wants_digest "
        "UNION SELECT user_id, 'playlist_changed', 'mail', 'daily' FROM playlist_follows WHERE wants_digest"
    )
    for table in ("playlist_members", "playlist_follows"):
        op.execute(
            f"UPDATE {table} SET wants_digest = true WHERE user_id NOT IN "
            "(SELECT user_id FROM notification_preferences WHERE kind = 'playlist_changed')"
        )


def downgrade() -> None:
    for table in ("playlist_members", "playlist_follows"):
        op.execute(
            f"UPDATE {table} SET wants_digest = false WHERE user_id NOT IN "
            "(SELECT user_id FROM notification_preferences WHERE kind = 'playlist_changed' AND outlet = 'mail' "
            "AND frequency <> 'off')"
        )
    op.drop_table('celery_solarschedule')
    op.drop_table('celery_periodictaskchanged')
    op.drop_table('celery_periodictask')
    op.drop_table('celery_intervalschedule')
    op.drop_table('celery_crontabschedule')
    op.drop_table('celery_clockedschedule')
    if op.get_bind().dialect.name == 'postgresql':  # the types of its enumerations stay otherwise
        for name in ('period', 'solarevent'):
            op.execute(f'DROP TYPE {name}')

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

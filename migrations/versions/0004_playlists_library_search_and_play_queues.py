"""Playlists, libraries, the search index, play queues; where a play was started from

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from musicapp.catalog.text import shelf_key, shelf_letter

SHELF_KEY = sa.String(length=400).with_variant(sa.String(length=400, collation='C'), 'postgresql')

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('search_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=500), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('facets', sa.Text(), nullable=False),
    sa.Column('place', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('artist','album','track','playlist','person')", name=op.f('ck_search_entries_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_entries')),
    sa.UniqueConstraint('kind', 'subject_id', name=op.f('uq_search_entries_kind_subject_id')),
    sa.UniqueConstraint('place', name=op.f('uq_search_entries_place')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_search_entries_title_place', 'search_entries', ['title', 'place'], unique=False)
    op.create_table('play_queues',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('entries', sa.JSON(), nullable=False),
    sa.Column('entries_hash', sa.Integer(), nullable=False),
    sa.Column('next_entry_id', sa.Integer(), nullable=False),
    sa.Column('current_entry_id', sa.Integer(), nullable=True),
    sa.Column('position_ms', sa.Integer(), nullable=False),
    sa.Column('is_playing', sa.Boolean(), nullable=False),
    sa.Column('is_shuffled', sa.Boolean(), nullable=False),
    sa.Column('repeat', sa.String(length=8), nullable=False),
    sa.Column('source', sa.String(length=40), server_default=sa.text("''"), nullable=False),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('device', sa.String(length=80), server_default=sa.text("''"), nullable=False),
    sa.Column('reported_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("repeat IN ('off','all','one')", name=op.f('ck_play_queues_repeat')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_play_queues_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_play_queues'))
    )
    op.create_table('playlists',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('sort_name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('visibility', sa.String(length=16), nullable=False),
    sa.Column('link_token', sa.String(length=43), nullable=False),
    sa.Column('cover_id', sa.Integer(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('track_count', sa.Integer(), nullable=False),
    sa.Column('duration_ms', sa.BigInteger(), nullable=False),
    sa.Column('follower_count', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("visibility IN ('private','unlisted','public')", name=op.f('ck_playlists_visibility')),
    sa.ForeignKeyConstraint(['cover_id'], ['artworks.id'], name=op.f('fk_playlists_cover_id_artworks'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['owner_id'], ['users.id'], name=op.f('fk_playlists_owner_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_playlists')),
    sa.UniqueConstraint('link_token', name=op.f('uq_playlists_link_token')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('playlists', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_playlists_owner_id'), ['owner_id'], unique=False)
        batch_op.create_index('ix_playlists_visibility_updated_at_id', ['visibility', 'updated_at', 'id'], unique=False)

    op.create_table('artist_follows',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('artist_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['artist_id'], ['artists.id'], name=op.f('fk_artist_follows_artist_id_artists'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_artist_follows_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'artist_id', name=op.f('pk_artist_follows'))
    )
    with op.batch_alter_table('artist_follows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_artist_follows_artist_id'), ['artist_id'], unique=False)
        batch_op.create_index('ix_artist_follows_user_id_created_at_artist_id', ['user_id', 'created_at', 'artist_id'], unique=False)

    op.create_table('playlist_changes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('playlist_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('changed', sa.JSON(), nullable=False),
    sa.Column('summary', sa.JSON(), nullable=False),
    sa.Column('undone_version', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['playlist_id'], ['playlists.id'], name=op.f('fk_playlist_changes_playlist_id_playlists'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_playlist_changes_user_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_playlist_changes')),
    sa.UniqueConstraint('playlist_id', 'version', name=op.f('uq_playlist_changes_playlist_id_version')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('playlist_changes', schema=None) as batch_op:
        batch_op.create_index('ix_playlist_changes_created_at', ['created_at'], unique=False)

    op.create_table('playlist_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('playlist_id', sa.Integer(), nullable=False),
    sa.Column('track_id', sa.Integer(), nullable=False),
    sa.Column('order_key', sa.String(length=255).with_variant(sa.String(length=255, collation='C'), 'postgresql'), nullable=False),
    sa.Column('added_by_id', sa.Integer(), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('placed_version', sa.Integer(), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_version', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['added_by_id'], ['users.id'], name=op.f('fk_playlist_entries_added_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['playlist_id'], ['playlists.id'], name=op.f('fk_playlist_entries_playlist_id_playlists'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_playlist_entries')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('playlist_entries', schema=None) as batch_op:
        batch_op.create_index('ix_playlist_entries_playlist_id_track_id', ['playlist_id', 'track_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_playlist_entries_track_id'), ['track_id'], unique=False)
        batch_op.create_index('uq_playlist_entries_place', ['playlist_id', 'order_key'], unique=True, sqlite_where=sa.text('removed_at IS NULL'), postgresql_where=sa.text('removed_at IS NULL'))

    op.create_table('playlist_follows',
    sa.Column('playlist_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_version', sa.Integer(), nullable=False),
    sa.Column('wants_digest', sa.Boolean(), nullable=False),
    sa.Column('digested_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['playlist_id'], ['playlists.id'], name=op.f('fk_playlist_follows_playlist_id_playlists'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_playlist_follows_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('playlist_id', 'user_id', name=op.f('pk_playlist_follows'))
    )
    with op.batch_alter_table('playlist_follows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_playlist_follows_user_id'), ['user_id'], unique=False)

    op.create_table('playlist_invitations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('playlist_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('token', sa.String(length=43), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role IN ('editor','viewer')", name=op.f('ck_playlist_invitations_role')),
    sa.ForeignKeyConstraint(['created_by_id'], ['users.id'], name=op.f('fk_playlist_invitations_created_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['playlist_id'], ['playlists.id'], name=op.f('fk_playlist_invitations_playlist_id_playlists'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_playlist_invitations_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_playlist_invitations')),
    sa.UniqueConstraint('token', name=op.f('uq_playlist_invitations_token')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('playlist_invitations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_playlist_invitations_playlist_id'), ['playlist_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_playlist_invitations_user_id'), ['user_id'], unique=False)

    op.create_table('playlist_members',
    sa.Column('playlist_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('wants_digest', sa.Boolean(), nullable=False),
    sa.Column('digested_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("role IN ('owner','editor','viewer')", name=op.f('ck_playlist_members_role')),
    sa.ForeignKeyConstraint(['playlist_id'], ['playlists.id'], name=op.f('fk_playlist_members_playlist_id_playlists'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_playlist_members_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('playlist_id', 'user_id', name=op.f('pk_playlist_members'))
    )
    with op.batch_alter_table('playlist_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_playlist_members_user_id'), ['user_id'], unique=False)

    op.create_table('album_likes',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('album_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['album_id'], ['albums.id'], name=op.f('fk_album_likes_album_id_albums'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_album_likes_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'album_id', name=op.f('pk_album_likes'))
    )
    with op.batch_alter_table('album_likes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_album_likes_album_id'), ['album_id'], unique=False)
        batch_op.create_index('ix_album_likes_user_id_created_at_album_id', ['user_id', 'created_at', 'album_id'], unique=False)

    op.create_table('track_likes',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('track_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['track_id'], ['tracks.id'], name=op.f('fk_track_likes_track_id_tracks'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_track_likes_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'track_id', name=op.f('pk_track_likes'))
    )
    with op.batch_alter_table('track_likes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_track_likes_track_id'), ['track_id'], unique=False)
        batch_op.create_index('ix_track_likes_user_id_created_at_track_id', ['user_id', 'created_at', 'track_id'], unique=False)

    with op.batch_alter_table('albums', schema=None) as batch_op:
        batch_op.create_index('ix_albums_release_on_id', ['release_on', 'id'], unique=False)
    add_shelves()

    with op.batch_alter_table('listening_events', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('source', sa.String(length=40), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column('device', sa.String(length=80), server_default=sa.text("''"), nullable=False))

    with op.batch_alter_table('plays', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('source', sa.String(length=40), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column('device', sa.String(length=80), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_plays_deleted_at', ['deleted_at'], unique=False, sqlite_where=sa.text('deleted_at IS NOT NULL'), postgresql_where=sa.text('deleted_at IS NOT NULL'))


def add_shelves() -> None:
    """What lists of albums and artists are sorted and paged by, filled for the rows that are there."""
    for name, made_from, has_letter in (('artists', 'sort_name', True), ('albums', 'sort_title', False)):
        # SQLite adds no column that is NOT NULL without a default; one that stays would hide rows added without it.
        with op.batch_alter_table(name, table_kwargs={'sqlite_autoincrement': True}) as batch_op:
            batch_op.add_column(sa.Column('shelf_key', SHELF_KEY, nullable=True))
            if has_letter:
                batch_op.add_column(sa.Column('shelf_letter', sa.String(length=4), nullable=True))
        columns = [sa.column('id'), sa.column(made_from), sa.column('shelf_key'), sa.column('shelf_letter')]
        table = sa.table(name, *columns)
        rows = op.get_bind().execute(sa.select(table.c.id, table.c[made_from])).all()
        values = [{'row_id': row[0], 'key': shelf_key(row[1]), 'letter': shelf_letter(row[1])} for row in rows]
        changed = {'shelf_key': sa.bindparam('key')} | ({'shelf_letter': sa.bindparam('letter')} if has_letter else {})
        if values:
            op.get_bind().execute(sa.update(table).where(table.c.id == sa.bindparam('row_id')).values(changed), values)
        with op.batch_alter_table(name, table_kwargs={'sqlite_autoincrement': True}) as batch_op:
            batch_op.alter_column('shelf_key', existing_type=SHELF_KEY, nullable=False)
            batch_op.create_index(f'ix_{name}_shelf_key_id', ['shelf_key', 'id'], unique=False)
            if has_letter:
                batch_op.alter_column('shelf_letter', existing_type=sa.String(length=4), nullable=False)
                batch_op.create_index('ix_artists_shelf_letter_shelf_key_id', ['shelf_letter', 'shelf_key', 'id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('plays', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_index('ix_plays_deleted_at')
        batch_op.drop_column('deleted_at')
        batch_op.drop_column('device')
        batch_op.drop_column('source')

    with op.batch_alter_table('listening_events', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_column('device')
        batch_op.drop_column('source')

    with op.batch_alter_table('albums', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_index('ix_albums_release_on_id')
        batch_op.drop_index('ix_albums_shelf_key_id')
        batch_op.drop_column('shelf_key')

    with op.batch_alter_table('artists', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_index('ix_artists_shelf_letter_shelf_key_id')
        batch_op.drop_index('ix_artists_shelf_key_id')
        batch_op.drop_column('shelf_letter')
        batch_op.drop_column('shelf_key')

    with op.batch_alter_table('track_likes', schema=None) as batch_op:
        batch_op.drop_index('ix_track_likes_user_id_created_at_track_id')
        batch_op.drop_index(batch_op.f('ix_track_likes_track_id'))

    op.drop_table('track_likes')
    with op.batch_alter_table('album_likes', schema=None) as batch_op:
        batch_op.drop_index('ix_album_likes_user_id_created_at_album_id')
        batch_op.drop_index(batch_op.f('ix_album_likes_album_id'))

    op.drop_table('album_likes')
    with op.batch_alter_table('playlist_members', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_playlist_members_user_id'))

    op.drop_table('playlist_members')
    with op.batch_alter_table('playlist_invitations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_playlist_invitations_user_id'))
        batch_op.drop_index(batch_op.f('ix_playlist_invitations_playlist_id'))

    op.drop_table('playlist_invitations')
    with op.batch_alter_table('playlist_follows', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_playlist_follows_user_id'))

    op.drop_table('playlist_follows')
    with op.batch_alter_table('playlist_entries', schema=None) as batch_op:
        batch_op.drop_index('uq_playlist_entries_place', sqlite_where=sa.text('removed_at IS NULL'), postgresql_where=sa.text('removed_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_playlist_entries_track_id'))
        batch_op.drop_index('ix_playlist_entries_playlist_id_track_id')

    op.drop_table('playlist_entries')
    with op.batch_alter_table('playlist_changes', schema=None) as batch_op:
        batch_op.drop_index('ix_playlist_changes_created_at')

    op.drop_table('playlist_changes')
    with op.batch_alter_table('artist_follows', schema=None) as batch_op:
        batch_op.drop_index('ix_artist_follows_user_id_created_at_artist_id')
        batch_op.drop_index(batch_op.f('ix_artist_follows_artist_id'))

    op.drop_table('artist_follows')
    with op.batch_alter_table('playlists', schema=None) as batch_op:
        batch_op.drop_index('ix_playlists_visibility_updated_at_id')
        batch_op.drop_index(batch_op.f('ix_playlists_owner_id'))

    op.drop_table('playlists')
    op.drop_table('play_queues')
    op.drop_index('ix_search_entries_title_place', table_name='search_entries')
    op.drop_table('search_entries')

"""What finds: FTS5 tables on SQLite, tsvector and trigrams on PostgreSQL, kept by triggers

Everything here is named search_index…; it holds no truth of its own. A later migration that rebuilds search_entries
or search_words in batch mode on SQLite loses their triggers: let it call drop_sqlite() before and make_sqlite() after.

PostgreSQL: pg_trgm is a trusted extension, so the owner of a database may create it. Where that is forbidden,
everything works, and mistyped words are compared with the whole list of words: some milliseconds more.

Revision ID: 0005
Revises: 0004
"""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

# The ascii tokenizer splits at spaces only: texts come as tokens. Prefixes longer than 3 letters match few words.
SQLITE = (
    """CREATE VIRTUAL TABLE search_index USING fts5(
        title, words, facets, content='search_entries', content_rowid='place', tokenize='ascii', prefix='1 2 3')""",
    """CREATE TRIGGER search_index_put AFTER INSERT ON search_entries BEGIN
        INSERT INTO search_index(rowid, title, words, facets) VALUES (new.place, new.title, new.words, new.facets);
    END""",
    """CREATE TRIGGER search_index_drop AFTER DELETE ON search_entries BEGIN
        INSERT INTO search_index(search_index, rowid, title, words, facets)
        VALUES ('delete', old.place, old.title, old.words, old.facets);
    END""",
    """CREATE TRIGGER search_index_change AFTER UPDATE ON search_entries BEGIN
        INSERT INTO search_index(search_index, rowid, title, words, facets)
        VALUES ('delete', old.place, old.title, old.words, old.facets);
        INSERT INTO search_index(rowid, title, words, facets) VALUES (new.place, new.title, new.words, new.facets);
    END""",
    "INSERT INTO search_index(search_index) VALUES ('rebuild')",
    # Padded, so that two letters at the start or the end of a word are a trigram, as in PostgreSQL.
    "CREATE VIRTUAL TABLE search_index_words USING fts5(word, tokenize='trigram')",
    """CREATE TRIGGER search_index_remember AFTER INSERT ON search_words BEGIN
        INSERT INTO search_index_words(rowid, word) VALUES (new.id, '^' || new.word || '$');
    END""",
    """CREATE TRIGGER search_index_forget AFTER DELETE ON search_words BEGIN
        DELETE FROM search_index_words WHERE rowid = old.id;
    END""",
)

# Weights: A is the first word of a title, B the rest of it, C everything else, D facets.
POSTGRESQL = (
    """CREATE FUNCTION search_index_terms(title text, words text, facets text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT coalesce(string_agg(
            quote_literal(token) || ':' || least(place, 16383)
            || CASE WHEN part = 1 AND place = 1 THEN 'A' WHEN part = 1 THEN 'B' WHEN part = 2 THEN 'C' ELSE 'D' END,
            ' '), '')::tsvector
        FROM (
            SELECT 1 AS part, token, place
            FROM unnest(string_to_array(title, ' ')) WITH ORDINALITY AS t(token, place)
            UNION ALL
            SELECT 2, token, 1000 + place
            FROM unnest(string_to_array(words, ' ')) WITH ORDINALITY AS t(token, place)
            UNION ALL
            SELECT 3, token, 10000 + 2 * place
            FROM unnest(string_to_array(facets, ' ')) WITH ORDINALITY AS t(token, place)
        ) AS tokens WHERE token <> ''
    $$""",
    "CREATE TABLE search_index (place bigint PRIMARY KEY, terms tsvector NOT NULL)",
    "CREATE INDEX search_index_of_terms ON search_index USING gin (terms)",
    """CREATE FUNCTION search_index_follow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM search_index WHERE place = OLD.place;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO search_index VALUES (NEW.place, search_index_terms(NEW.title, NEW.words, NEW.facets));
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER search_index_follow AFTER INSERT OR UPDATE OR DELETE ON search_entries
    FOR EACH ROW EXECUTE FUNCTION search_index_follow()""",
    """INSERT INTO search_index SELECT place, search_index_terms(title, words, facets) FROM search_entries""",
)


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_words")),
        sa.UniqueConstraint("word", name=op.f("uq_search_words_word")),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        make_sqlite()
        return
    for statement in POSTGRESQL:
        op.execute(statement)
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError as error:
        log.warning("search works without pg_trgm, a little slower for mistyped words: %s", error.orig)
    else:
        op.execute("CREATE INDEX search_index_of_words ON search_words USING gin (word gin_trgm_ops)")


def make_sqlite() -> None:
    for statement in SQLITE:
        op.execute(statement)


def drop_sqlite() -> None:
    for name in ("put", "drop", "change", "remember", "forget"):
        op.execute(f"DROP TRIGGER search_index_{name}")
    op.execute("DROP TABLE search_index")
    op.execute("DROP TABLE search_index_words")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        drop_sqlite()
    else:
        # pg_trgm stays: something else may use it by now.
        op.execute("DROP INDEX IF EXISTS search_index_of_words")
        op.execute("DROP TRIGGER search_index_follow ON search_entries")
        op.execute("DROP TABLE search_index")
        op.execute("DROP FUNCTION search_index_follow()")
        op.execute("DROP FUNCTION search_index_terms(text, text, text)")
    op.drop_table("search_words")

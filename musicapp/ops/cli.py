"""`flask --app wsgi backup | restore | doctor`: what operators do from the terminal."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import with_appcontext

from musicapp.core.pages import number_words, size_words
from musicapp.ops.backup.archive import BackupError
from musicapp.ops.backup.restoring import restore
from musicapp.ops.backup.writing import write_backup
from musicapp.ops.doctor import OK, PROBLEM, WARNING, examine

MISSING_SHOWN = 10

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


def _echo_missing(words: str, keys: list[str]) -> None:
    if keys:
        click.echo(f"{number_words(len(keys))} {words}", err=True)
        for key in keys[:MISSING_SHOWN]:
            click.echo(f"  {key}", err=True)
        if len(keys) > MISSING_SHOWN:
            click.echo("  …", err=True)


@click.command("backup")
@_file
@click.option("--media", type=click.Path(path_type=Path, file_okay=False), help="Copy new media files there, too.")
@with_appcontext
def backup_command(file: Path, media: Path | None) -> None:
    """Write all rows, the list of media and the schedule into FILE. The site may go on meanwhile.

    Keep the SECRET_KEY (instance/secret_key) beside it; it is in no backup.
    """
    try:
        made = write_backup(file.absolute(), media)
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file}: {number_words(made.rows)} rows, {size_words(made.size_bytes)}.")
    words = f"{number_words(made.media_files)} media files ({size_words(made.media_bytes)}) are listed"
    click.echo(f"{words}, {number_words(made.media_copied)} new ones copied." if media else f"{words}, not copied.")
    _echo_missing("files were deleted while they were copied:", made.media_gone)


@click.command("restore")
@_file
@click.option("--force", is_flag=True, help="Replace a site that has accounts, after a backup of what is there.")
@click.option("--media", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Copy media from there.")
@with_appcontext
def restore_command(file: Path, force: bool, media: Path | None) -> None:
    """Fill this site from FILE, also one that was made on another kind of database. The site must be stopped."""
    try:
        done = restore(file.absolute(), force=force, media_folder=media)
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    if done.saved_before:
        click.echo(f"What was here before is in {done.saved_before}.")
    click.echo(f"{number_words(done.rows)} rows are back, as they were at {done.made_at}.")
    if media:
        click.echo(f"{number_words(done.media_copied)} media files were copied.")
    if done.is_other_key:
        click.echo("SECRET_KEY is another one than then: people sign in again, links in old mails are dead.", err=True)
    if done.left_out:
        click.echo(f"Tables that this musicapp doesn't have were left out: {', '.join(done.left_out)}.", err=True)
    if not done.is_redis_emptied:
        click.echo("Redis is away and remembers the site before: empty it (FLUSHDB) before the start.", err=True)
    _echo_missing("media files are missing; restore them with --media, or copy them back:", done.media_missing)
    if done.media_missing:
        raise SystemExit(3)


MARKS = {OK: "ok      ", WARNING: "warning ", PROBLEM: "PROBLEM "}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of what was found.")
@with_appcontext
def doctor_command(as_json: bool) -> None:
    """Look at every setting and part and say how to mend what is wrong. Ends with 1 when something is."""
    found = examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=1, ensure_ascii=False))
    else:
        for finding in found:
            click.echo(f"{MARKS[finding.status]} {finding.name}: {finding.words}")
            if finding.mend:
                click.echo(f"           -> {finding.mend}")
        counts = Counter(finding.status for finding in found)
        click.echo(f"{counts[PROBLEM]} problems, {counts[WARNING]} warnings, {counts[OK]} well.")
    if any(finding.status == PROBLEM for finding in found):
        raise SystemExit(1)


commands = (backup_command, restore_command, doctor_command)

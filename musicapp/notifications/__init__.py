"""Mails that react to what happened."""

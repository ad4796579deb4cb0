"""Notices on the site's own pages: their words, what is unread, and what reading changes."""

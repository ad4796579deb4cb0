"""Announcements: an artist writes to the followers, an admin to everybody. Sending one is one job of `telling`."""

"""What the studio's album page sees of uploads, live. Who may hear `studio-<album>` is the catalog's word."""

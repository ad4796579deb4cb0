"""A small made-up library, so that a newcomer sees a living site at once. Its music is computed here, so it is free."""

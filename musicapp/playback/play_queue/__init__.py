"""The play queue on the server: the same on all devices of a person, edited from any of them."""

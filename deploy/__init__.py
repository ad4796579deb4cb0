"""Running musicapp: the runner behind `make run`, and the files that servers read. Knows nothing of `musicapp`."""

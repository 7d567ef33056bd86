"""One module per kind of file that holds items. Each has ``read(path, reading)``, yielding ``Record``s."""

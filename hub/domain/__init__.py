"""Rules of the field as pure values and tables. Standard library only."""

"""The database: tables, the unit of work, migrations. Nobody else writes SQL."""

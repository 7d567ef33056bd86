"""HTTP: the REST API, the platforms' callbacks, health, and the public site's files."""

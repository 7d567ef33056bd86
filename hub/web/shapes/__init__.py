"""What goes over the wire: the bodies and answers of the REST API, with descriptions and examples for OpenAPI."""

"""The REST API, one router a subject. A handler reads the request, calls ``hub.app`` and shapes the answer."""

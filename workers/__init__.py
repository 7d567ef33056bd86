"""Celery: the app and its queues, the tasks, the relay that rings for due rows, and beat."""

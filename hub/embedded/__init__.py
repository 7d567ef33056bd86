"""What lets one command run the whole hub on one machine: a Redis server of its own and a supervisor for its processes."""

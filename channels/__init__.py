"""Channel adapters: each folder carries approved renditions to one kind of public front (渠道)."""

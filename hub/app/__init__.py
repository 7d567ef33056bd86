"""What people and workers do: one module a verb, one transaction a function (or a claim and settle pair)."""

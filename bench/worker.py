"""``python -m bench.worker worker|beat …``: the hub's own worker and beat, with the bench's channel registered."""

from __future__ import annotations

from bench.channel import register
from workers.run import main

if __name__ == "__main__":
    register()
    main()

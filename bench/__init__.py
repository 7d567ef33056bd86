"""The budgets of the design, measured as ratios in one run: ``python -m bench`` (``make bench``). See docs/performance.md."""

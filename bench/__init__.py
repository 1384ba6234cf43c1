"""Measured speed and memory against a floor in the same run. `python -m bench --help` says how."""

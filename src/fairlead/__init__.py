"""Fairlead: plan, run, measure and correct a sales process."""

__version__ = "0.1.0"

"""Criterion quality (OV-4): which items of a process are met at once, which are let pass, and which tell won from lost."""

"""Reads of the room of work."""

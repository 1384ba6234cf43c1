"""Append-only memory of the house. People appear as plain ids; every room writes here."""

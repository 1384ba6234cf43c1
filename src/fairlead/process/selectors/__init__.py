"""Reads of the process room that go across its tables."""

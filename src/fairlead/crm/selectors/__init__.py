"""Reads of the CRM that go across its tables: the board, the gate panel, who may decide."""

"""A small company and its deals, made by the services themselves, for tests of any room."""

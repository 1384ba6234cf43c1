"""Settings, addresses, the server's entry and the command line: the one room that knows all others."""

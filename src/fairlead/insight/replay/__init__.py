"""A candidate process document tried on history: figures, page and command. NumPy is loaded when one is first asked for."""

"""Sample data for a company that has just begun: what it is made of, loading it, and taking all of it away."""

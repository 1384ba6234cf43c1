"""Market segments, accounts, contacts, opportunities and the deal team."""

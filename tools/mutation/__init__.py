"""How strong the tests of the rules are: small faults are put into them, and the tests must find each."""

"""The road: processes, versions, gates, journeys, moves, waivers. Knows no opportunity."""

"""Tests, from the outside in: the graph on a real PostgreSQL and a local Hub, then the rooms, then the rules."""

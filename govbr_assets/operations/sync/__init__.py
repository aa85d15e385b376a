"""Sync: days on the Hub made equal to PostgreSQL, one commit for as many as fit into it."""

"""Reconciliation: all rows of PostgreSQL against all rows of the Hub at one revision."""

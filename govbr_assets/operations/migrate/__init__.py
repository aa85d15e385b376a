"""Migration: columns that were declared later, with their values, into all data files by one commit."""

"""Alerts as a service: what an alert says, and how it is delivered."""

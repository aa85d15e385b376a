"""Alerts as a service: `message` builds them, `outbox` delivers them by HTTP."""

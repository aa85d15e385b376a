"""Tests of `govbr_assets.alerts`."""

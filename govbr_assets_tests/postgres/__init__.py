"""Tests of `govbr_assets.postgres`."""

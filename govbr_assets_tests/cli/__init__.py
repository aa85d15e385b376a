"""Tests of `govbr_assets.cli`."""

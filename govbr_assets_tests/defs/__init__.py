"""Tests of `govbr_assets.defs`."""

"""Tests of `govbr_assets.core`."""

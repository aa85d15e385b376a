"""Tests of `govbr_assets.io`."""

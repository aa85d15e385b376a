"""Tests of `govbr_assets.dataset`."""

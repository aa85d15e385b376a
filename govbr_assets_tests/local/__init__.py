"""Tests of `govbr_assets.local`."""

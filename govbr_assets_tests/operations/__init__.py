"""Tests of `govbr_assets.operations`."""

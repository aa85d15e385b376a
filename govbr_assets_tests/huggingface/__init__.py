"""Tests of `govbr_assets.huggingface`."""

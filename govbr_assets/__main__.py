"""`python -m govbr_assets`: the same as `govbr-assets`."""

from govbr_assets.cli.main import main

main()

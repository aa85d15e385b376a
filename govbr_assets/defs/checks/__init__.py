"""Asset checks: what is true, said with numbers. `daily` judges days, `dataset` all that is on the Hub."""

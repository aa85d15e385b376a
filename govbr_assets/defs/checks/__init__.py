"""Asset checks: what is true, said with numbers. `daily` judges days, each as `per_day` says; `dataset` the whole."""

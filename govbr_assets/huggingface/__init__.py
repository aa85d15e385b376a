"""The Hugging Face Hub as a service: one client of one dataset repo, and the viewer of it.

The only importer of huggingface_hub. What the dataset is, and what its files say, belongs to `dataset`.
"""

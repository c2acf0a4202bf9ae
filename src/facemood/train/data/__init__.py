"""Training data: division into splits, targets, augmentation and batches."""

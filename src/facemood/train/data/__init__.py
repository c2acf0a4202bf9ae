"""What is learned from: which images, what each should be read as, and how they are varied and cut into batches."""

"""The stages of the pipeline: detect, landmarks, pose, action units, align, classify. They hold no state."""

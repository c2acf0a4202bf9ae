"""Train the face finder and the landmark network on faces that are laid into scenes (extra ``train``)."""

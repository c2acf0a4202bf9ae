"""Train the face detector, the landmark network and the mask network on composed images (extra ``train``)."""

"""Networks: SE-ResNet, plain convolutional networks and timm backbones, built from a recipe."""

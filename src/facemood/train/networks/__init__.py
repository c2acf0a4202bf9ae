"""Networks: ours, plain ones and timm's, and how one is built that a recipe names."""

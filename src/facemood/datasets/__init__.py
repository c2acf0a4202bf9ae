"""Datasets of labelled faces: whatever the files look like, an `ExpressionDataset` comes out."""

from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.duplicates import find_clusters
from facemood.datasets.fer2013 import read_fer2013
from facemood.datasets.folder import read_folder
from facemood.datasets.select import open_dataset

__all__ = ["ExpressionDataset", "find_clusters", "open_dataset", "read_fer2013", "read_folder"]

"""Datasets of labelled faces: readers for several file layouts, all of which return an `ExpressionDataset`."""

from facemood.datasets.affectnet import read_affectnet
from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.duplicates import find_clusters
from facemood.datasets.fer2013 import read_fer2013, read_ferplus
from facemood.datasets.folder import read_folder
from facemood.datasets.lazy_images import ImageFiles, Images
from facemood.datasets.rafdb import read_rafdb
from facemood.datasets.readers import open_dataset
from facemood.datasets.splits import count_near_duplicates, find_split, split_off

__all__ = [
    "ExpressionDataset",
    "ImageFiles",
    "Images",
    "count_near_duplicates",
    "find_clusters",
    "find_split",
    "open_dataset",
    "read_affectnet",
    "read_fer2013",
    "read_ferplus",
    "read_folder",
    "read_rafdb",
    "split_off",
]

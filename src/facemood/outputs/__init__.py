"""What a run writes: names that belong to inputs, checks before anything is read, and books to go on by."""

from facemood.outputs.book import Book, Entry, Stamp
from facemood.outputs.names import NAME, TREE, Label, label_inputs
from facemood.outputs.places import Target, Targets
from facemood.outputs.writers import Outputs

__all__ = ["NAME", "TREE", "Book", "Entry", "Label", "Outputs", "Stamp", "Target", "Targets", "label_inputs"]

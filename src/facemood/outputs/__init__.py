"""The outputs of a run: their names, checks before anything is read, and sidecars to resume by."""

from facemood.outputs.names import NAME, TREE, Label, label_inputs
from facemood.outputs.places import OutputTarget, OutputTargets
from facemood.outputs.sidecar import FACES_HIDDEN, Sidecar, SidecarEntry, Stamp
from facemood.outputs.writers import Outputs

__all__ = [
    "FACES_HIDDEN",
    "NAME",
    "TREE",
    "Label",
    "OutputTarget",
    "OutputTargets",
    "Outputs",
    "Sidecar",
    "SidecarEntry",
    "Stamp",
    "label_inputs",
]

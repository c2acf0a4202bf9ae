"""Action units: how far each muscle of a face moves, from its points freed of the pose and from pixels about them."""

from facemood.stages.action_units.estimate import MOST_PITCH, MOST_YAW, Reading, is_covered, read_units, with_units

__all__ = ["MOST_PITCH", "MOST_YAW", "Reading", "is_covered", "read_units", "with_units"]

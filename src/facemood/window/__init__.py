"""The live window: shows the results of a live source, and records them on request."""

from facemood.window.loop import LiveOptions, run_headless, run_window
from facemood.window.recorder import Recorder
from facemood.window.result_thread import Rate, ResultThread

__all__ = ["LiveOptions", "Rate", "Recorder", "ResultThread", "run_headless", "run_window"]

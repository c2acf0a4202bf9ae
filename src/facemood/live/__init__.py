"""What is read from a live source, shown in a window, recorded where that is asked for."""

from facemood.live.loop import LiveOptions, run_headless, run_window
from facemood.live.reader import Rate, ResultReader
from facemood.live.recorder import Recorder

__all__ = ["LiveOptions", "Rate", "Recorder", "ResultReader", "run_headless", "run_window"]

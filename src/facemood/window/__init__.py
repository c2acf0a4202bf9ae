"""What is read from a live source, shown in a window, recorded where that is asked for."""

from facemood.window.loop import LiveOptions, run_headless, run_window
from facemood.window.recorder import Recorder
from facemood.window.result_thread import Rate, ResultThread

__all__ = ["LiveOptions", "Rate", "Recorder", "ResultThread", "run_headless", "run_window"]

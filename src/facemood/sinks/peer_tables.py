"""Tables for programs that read those of OpenFace or py-feat; `facemood.table.peer_columns` says what is mapped."""

from __future__ import annotations

from facemood.sinks.sink import ONE_VIDEO
from facemood.sinks.text_files import CsvSink
from facemood.table import Column
from facemood.table.peer_columns import openface_columns, pyfeat_columns


class OpenFaceSink(CsvSink):
    """The faces of one video as a CSV file like that of OpenFace's FeatureExtraction.

    A frame without a face has a row with ``success`` 0, whose other cells are empty. OpenFace's table does not name its
    input, so each video needs a file of its own.
    """

    holds = ONE_VIDEO
    continues = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of OpenFace that facemood has."""
        return openface_columns()


class PyFeatSink(CsvSink):
    """The table as a CSV file like py-feat's Fex: one row a face, and one for each frame without a face."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of py-feat that facemood has."""
        return pyfeat_columns()

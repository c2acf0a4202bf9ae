"""Live sources: cameras, screens and network streams. They keep only the newest frame."""

from facemood.sources.live.network_stream import public_name
from facemood.sources.live.newest import Newest
from facemood.sources.live.opening import check_live, is_live, open_live
from facemood.sources.live.reconnect import Feed, LiveSource

__all__ = ["Feed", "LiveSource", "Newest", "check_live", "is_live", "open_live", "public_name"]

"""The server: a page that reads faces live in the browser, and the same over HTTP. It needs the extra ``serve``."""

from facemood.server.application import create_app
from facemood.server.limits import ServerOptions

__all__ = ["ServerOptions", "create_app"]

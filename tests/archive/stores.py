"""An object store on this machine: moto's server answers as S3 does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

BUCKET = "s3://bucket"
"""Address of the bucket."""


@contextlib.contextmanager
def s3_server() -> Iterator[None]:
    """Serve an empty bucket on the loopback address, and set the environment for this process and those it starts."""
    pytest.importorskip("s3fs", reason="needs the extra places")
    server_class = pytest.importorskip("moto.server", reason="needs moto").ThreadedMotoServer
    server = server_class(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("NO_PROXY", "127.0.0.1")
        try:
            bucket().mkdir("bucket")
            yield
        finally:
            server.stop()


def bucket() -> Any:
    """The file system of the bucket."""
    return pytest.importorskip("fsspec").filesystem("s3")

"""An object store on this machine: moto's server answers as S3 does."""

from __future__ import annotations

import contextlib
import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from facemood.sources.remote import store_of

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
            close_connections()
            server.stop()
            forget_sockets()


def close_connections() -> None:
    """Close what s3fs keeps open until the process ends."""
    system = bucket()
    system.close_session(system.loop, system._s3creator)
    type(system).clear_instance_cache()
    store_of.cache_clear()


def forget_sockets() -> None:
    """Let the sockets of client and server go now, so that no later test is told that nobody closed them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def bucket() -> Any:
    """The file system of the bucket."""
    return store_of("s3")

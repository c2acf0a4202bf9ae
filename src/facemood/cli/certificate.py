"""The certificate of a server is tried before anything else starts."""

from __future__ import annotations

import ssl
from pathlib import Path

from facemood.errors import OptionError


def check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Try a certificate and its key as a server does.

    Args:
        certificate: A PEM file, which may hold the key as well; None for http.
        key: A PEM file with its private key.

    Raises:
        OptionError: A file cannot be read, is no PEM file or needs a passphrase, or the two do not belong together; or
            there is a key alone.
    """
    if certificate is None:
        if key is not None:
            raise OptionError("--key needs --certificate: without both, the page is served over http")
        return
    for file in (certificate, key or certificate):
        try:
            file.read_bytes()
        except OSError as error:
            raise OptionError(f"{file}: cannot be read ({error.strerror})") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_passphrase)
    except ssl.SSLError as error:
        apart = error.reason == "KEY_VALUES_MISMATCH"
        what = "the key is not that of the certificate" if apart else "expected a certificate and its key as PEM files"
        raise OptionError(f"{certificate}, {key or certificate}: {what}") from None


def _no_passphrase() -> str:
    """Refuse a key that is encrypted: a server that starts by itself cannot ask."""
    raise OptionError("the key is encrypted; write it without a passphrase: openssl pkey -in KEY -out NEW.pem")

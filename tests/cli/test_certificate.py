"""Certificates of servers, made by OpenSSL."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from facemood.cli.certificate import check_certificate
from facemood.errors import OptionError
from tests.cli.conftest import Run, started

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")


def make(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate for this machine, and its key."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(["openssl", *new, *named, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make(tmp_path_factory.mktemp("pair"), "own")


def test_the_page_is_served_over_https(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    trusted = ssl.create_default_context(cafile=str(certificate))
    options = ("--model", "nano", "--threads", "1", "--certificate", certificate, "--key", key)
    with started("serve", *options) as (address, _), urllib.request.urlopen(address, context=trusted) as answer:
        assert address.startswith("https://127.0.0.1:")
        assert b"<title>facemood" in answer.read()


def test_one_file_may_hold_both(pair: tuple[Path, Path], tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(file.read_bytes() for file in pair))
    check_certificate(both, None)


def test_a_file_that_is_not_there_or_no_certificate_is_told(pair: tuple[Path, Path], tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    empty = tmp_path / "empty.pem"
    empty.touch()
    for files, message in {
        (tmp_path / "none.pem", pair[1]): "none.pem: cannot be read (No such file or directory)",
        (pair[0], tmp_path / "none.key"): "none.key: cannot be read (No such file or directory)",
        (tmp_path, None): "cannot be read (Is a directory)",
        (text, pair[1]): "expected a certificate and its key as PEM files",
        (pair[0], empty): "expected a certificate and its key as PEM files",
        (pair[0], None): "expected a certificate and its key as PEM files",
        (None, pair[1]): "--key needs --certificate",
    }.items():
        with pytest.raises(OptionError) as raised:
            check_certificate(*files)
        assert message in str(raised.value)


def test_the_key_of_another_certificate_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="the key is not that of the certificate"):
        check_certificate(pair[0], make(tmp_path, "other")[1])


def test_an_encrypted_key_is_refused_and_nobody_is_asked(pair: tuple[Path, Path], tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    encrypt: list[str | Path] = [
        "openssl",
        "pkey",
        "-in",
        pair[1],
        "-aes256",
        "-passout",
        "pass:secret",
        "-out",
        locked,
    ]
    subprocess.run(encrypt, check=True, capture_output=True)
    with pytest.raises(OptionError, match="write it without a passphrase"):
        check_certificate(pair[0], locked)


def test_the_command_ends_before_it_opens_a_port(facemood: Run) -> None:
    done = facemood("serve", "--certificate", "none.pem")
    assert done.returncode == 2
    assert done.stderr == "facemood: none.pem: cannot be read (No such file or directory)\n"

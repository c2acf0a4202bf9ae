"""What ``facemood live --on-change`` tells of changes: a command, a WebSocket, or the topic of an MQTT broker."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import urllib.parse
from typing import TYPE_CHECKING, Any, Protocol

import typer

from facemood.errors import require
from facemood.filenames import printable

if TYPE_CHECKING:
    from facemood.expression_changes import ExpressionChange

CONNECT = 5.0
"""Seconds after which a WebSocket or a broker counts as not reachable."""

VARIABLES = {
    "person": "PERSON",
    "label": "EXPRESSION",
    "before": "BEFORE",
    "confidence": "CONFIDENCE",
    "time": "TIME",
    "source": "SOURCE",
}
"""Environment variable of each value, after ``FACEMOOD_``."""


MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
"""Port of a broker whose address has none, by scheme."""


class ChangeSender(Protocol):
    """Tells somebody of changes, one after the other."""

    def send(self, change: ExpressionChange) -> str:
        """Tell of a change; return what went wrong, or an empty text."""
        ...

    def close(self) -> None:
        """End what is running or open."""
        ...


def parse_command(text: str) -> list[str]:
    """Return the parts of a command; it is not run by a shell.

    Raises:
        typer.BadParameter: It is no command, or its program does not exist.

    Example:
        >>> parse_command("echo 'a b'")
        ['echo', 'a b']
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise typer.BadParameter(f"--on-change: {text!r} is no command ({error})") from None
    if not parts or shutil.which(parts[0]) is None:
        name = parts[0] if parts else text
        raise typer.BadParameter(f"--on-change: there is no program {name!r}; give a command such as './react.sh'")
    return parts


class CommandSender:
    """Runs a command for each change, and waits for its end.

    Args:
        command: Its parts.
    """

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self._running: subprocess.Popen[bytes] | None = None

    def send(self, change: ExpressionChange) -> str:
        """Run the command; return what went wrong, or an empty text."""
        values = change.to_dict()
        known = {f"FACEMOOD_{variable}": str(values[name]) for name, variable in VARIABLES.items()}
        try:
            with subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=sys.stderr.fileno(), env={**os.environ, **known}
            ) as running:
                self._running = running
                running.communicate(line_of(change).encode("utf-8", "surrogateescape"))
        except (OSError, ValueError) as error:
            return f"{printable(self.command[0])}: {error}"
        finally:
            self._running = None
        code = running.returncode
        return f"{printable(self.command[0])} ended with exit code {code}" if code else ""

    def close(self) -> None:
        """End the command, if it runs."""
        running = self._running
        if running is not None:
            with contextlib.suppress(OSError):
                running.kill()


class WebSocketSender:
    """Sends each change as a text message to a WebSocket; the connection is opened for the first one.

    A connection that was lost is opened again for the next change.

    Args:
        address: The address, ``ws://`` or ``wss://``.

    Raises:
        MissingExtraError: websockets is not installed (extra ``serve``).
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._connect: Any = require("websockets.sync.client", extra="serve").connect
        self._errors = (OSError, ValueError, require("websockets.exceptions", extra="serve").WebSocketException)
        self._open: Any = None
        self._stack = contextlib.ExitStack()

    def send(self, change: ExpressionChange) -> str:
        """Send the change; return what went wrong, or an empty text."""
        from facemood.sources.live import public_name

        for last in (self._open is None, True):
            try:
                if self._open is None:
                    self._open = self._stack.enter_context(self._connect(self.address, open_timeout=CONNECT))
                self._open.send(line_of(change).rstrip("\n"))
            except self._errors as error:
                self.close()
                if last:
                    return f"{public_name(self.address)}: {error}"
            else:
                return ""
        return ""

    def close(self) -> None:
        """Close the connection."""
        self._open = None
        with contextlib.suppress(*self._errors):
            self._stack.close()


class MqttSender:
    """Publishes each change to a topic of an MQTT broker; the connection is opened for the first one.

    The broker confirms each change (quality of service 1), so that one is told twice rather than not at all. Nothing is
    retained. A connection that was lost is opened again for the next change.

    Args:
        address: ``mqtt://HOST/TOPIC``, or ``mqtts://`` for TLS; ``USER:PASSWORD@`` may stand before the host, and
            ``:PORT`` after it.

    Raises:
        MissingExtraError: paho-mqtt is not installed (extra ``mqtt``).
        typer.BadParameter: The address has no host or no topic, or the topic has a wildcard.
    """

    def __init__(self, address: str) -> None:
        self.address: str = address
        parts = _parts_of_topic(address)
        if parts is None:
            raise typer.BadParameter(
                f"--on-change: {self.name} is no address of a topic; give one such as mqtt://192.168.1.20/home/faces"
            )
        self._parts = parts
        self.topic: str = _topic_of(parts)
        self._mqtt: Any = require("paho.mqtt.client", extra="mqtt")
        self._client: Any = None
        self._answer = ""

    @property
    def name(self) -> str:
        """The address without user and password, for messages."""
        from facemood.sources.live import public_name

        return public_name(self.address)

    def send(self, change: ExpressionChange) -> str:
        """Publish the change; return what went wrong, or an empty text."""
        if self._client is not None and not self._client.is_connected():
            self.close()
        for last in (self._client is None, True):
            try:
                client = self._connected()
                told = client.publish(self.topic, line_of(change).rstrip("\n"), qos=1)
                told.wait_for_publish(CONNECT)
                if told.is_published():
                    return ""
                problem = f"the broker did not confirm the change within {CONNECT:g} s"
            except (OSError, ValueError, RuntimeError) as error:
                problem = str(error) or type(error).__name__
            self.close()
            if last:
                break
        return f"{self.name}: {problem}"

    def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connected(self) -> Any:
        """Return the client of an open connection.

        Raises:
            OSError: The broker cannot be reached, does not answer, or refuses the connection.
        """
        if self._client is not None:
            return self._client
        client = self._mqtt.Client(self._mqtt.CallbackAPIVersion.VERSION2)
        client.connect_timeout = CONNECT
        if self._parts.username:
            password = self._parts.password
            client.username_pw_set(
                urllib.parse.unquote(self._parts.username), None if password is None else urllib.parse.unquote(password)
            )
        if self._parts.scheme == "mqtts":
            client.tls_set()
        answered = threading.Event()

        def on_connect(*told: Any) -> None:
            self._answer = str(told[3]) if told[3].is_failure else ""
            answered.set()

        client.on_connect = on_connect
        client.connect(self._parts.hostname, self._parts.port or MQTT_PORTS[self._parts.scheme])
        self._client = client
        client.loop_start()
        if not answered.wait(CONNECT):
            raise OSError(f"the broker did not answer within {CONNECT:g} s")
        if self._answer:
            raise OSError(f"the broker refused the connection: {self._answer}")
        return client


def _topic_of(parts: urllib.parse.SplitResult) -> str:
    """Return the topic of an address."""
    return urllib.parse.unquote(parts.path.removeprefix("/"))


def _parts_of_topic(address: str) -> urllib.parse.SplitResult | None:
    """Return the parts of an address with a host, a port that is a number, and a topic without wildcards, else None.

    A ``#`` is refused in the whole address: what follows it would be taken for a fragment and left out of the topic.
    """
    with contextlib.suppress(ValueError):
        parts = urllib.parse.urlsplit(address)
        parts.port  # noqa: B018
        topic = _topic_of(parts)
        if parts.hostname and topic and not (set(topic) & {"+", "#"} or "#" in address or parts.query):
            return parts
    return None


def line_of(change: ExpressionChange) -> str:
    """Return a change as a line of JSON."""
    return json.dumps(change.to_dict(), ensure_ascii=False) + "\n"


def sender_for(text: str) -> ChangeSender:
    """Return what a change is sent to: the address of a WebSocket or of an MQTT topic, or a command.

    Raises:
        typer.BadParameter: It is no command, or no address of a topic.
        MissingExtraError: A package is not installed.
    """
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme in ("ws", "wss"):
        return WebSocketSender(text)
    return MqttSender(text) if scheme in MQTT_PORTS else CommandSender(parse_command(text))

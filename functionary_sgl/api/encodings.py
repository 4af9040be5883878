"""Bodies that come compressed (`Content-Encoding`): piece by piece, each of a bounded size.

A body of a kilobyte can unpack into gigabytes; whoever takes the pieces stops when there are too
many. Checksums are checked, and what is cut short or goes on behind its end is refused.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from functionary_sgl.errors import RequestError, UnsupportedMediaType

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE_BYTES = 64 * 1024
"""Most bytes of a piece, and of what is unpacked in one go."""

_ZSTD_WINDOW_LOG = 23
"""8 MiB, as RFC 9659 has it for HTTP: what else a body may have its reader keep is gigabytes."""


class _Unpacker(Protocol):
    """As zlib, bz2 and compression.zstd have them."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def coding(header: str) -> str | None:
    """How a body with this `Content-Encoding` is packed; None: not at all.

    Raises UnsupportedMediaType for codings that are not known, and for several on top of each
    other.
    """
    named = [name.strip().lower() for name in header.split(",")]
    applied = [name.removeprefix("x-") for name in named if name not in ("", "identity")]
    if not applied:
        return None
    if len(applied) > 1 or applied[0] not in CODINGS:
        raise UnsupportedMediaType(
            f"A body with 'Content-Encoding: {header}' cannot be read here; send one of "
            f"{', '.join(CODINGS)}, or the body as it is."
        )
    return applied[0]


def unpacked(body: bytes, coding: str) -> Iterator[bytes]:
    """The pieces of what `body` holds. RequestError where it is not what `coding` makes."""
    unpacker = CODINGS[coding](body)
    view, used = memoryview(body), 0
    try:
        for start in range(0, len(view), PIECE_BYTES):
            if unpacker.eof:
                break
            yield from _pieces(unpacker, bytes(view[start : start + PIECE_BYTES]))
            used = start + PIECE_BYTES
    except (zlib.error, zstd.ZstdError) as error:
        raise RequestError(f"The body is no {coding}: {error}.") from error
    if not unpacker.eof:
        raise RequestError(f"The body ends before its {coding} does.")
    if unpacker.unused_data or used < len(view):
        raise RequestError(f"The body goes on behind the end of its {coding}.")


def _pieces(unpacker: _Unpacker, packed: bytes) -> Iterator[bytes]:
    """All that can be unpacked now that `packed` came."""
    while True:
        piece = unpacker.decompress(packed, PIECE_BYTES)
        if piece:
            yield piece
        # zlib gives back what it did not come to, zstd keeps it.
        packed = getattr(unpacker, "unconsumed_tail", b"")
        if unpacker.eof or not (packed or len(piece) == PIECE_BYTES):
            return


def _gzip(body: bytes) -> _Unpacker:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _deflate(body: bytes) -> _Unpacker:
    """With zlib's header, as the standard says, or without, as some send it."""
    header = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and not (body[0] << 8 | body[1]) % 31
    return zlib.decompressobj(zlib.MAX_WBITS if header else -zlib.MAX_WBITS)


def _zstd(body: bytes) -> _Unpacker:
    window = int(zstd.DecompressionParameter.window_log_max)
    return zstd.ZstdDecompressor(options={window: _ZSTD_WINDOW_LOG})


CODINGS: dict[str, Callable[[bytes], _Unpacker]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}

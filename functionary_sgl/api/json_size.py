"""How much a JSON text holds, counted while it comes in.

To parse JSON, and to check what is in it, takes time by the value and not by the byte, and nothing
else runs in Python meanwhile: a million empty objects are 3 MB and seconds. So values are counted
first, piece by piece as the network gives them; and of strings what is not copied as it stands.
"""

_BEYOND_ASCII = bytes(range(128, 256))
_BYTES_OF_AN_ESCAPE = 4


class JSONSize:
    """Counts what is in a JSON text that is fed in pieces; of a text that is no JSON, something as
    cheap.

    decoded: about how many bytes of its strings, at most, are decoded one character after the
        other: those that are not ASCII, and for each escape what takes as long.
    numberless: whether NaN or Infinity stands outside of its strings. They are no JSON, though
        parsers take them.
    """

    def __init__(self) -> None:
        self.values = 0
        self.decoded = 0
        self.numberless = False
        self._in_string = False
        self._escaping = False

    def feed(self, piece: bytes) -> None:
        """Take the next piece, cut anywhere."""
        if not piece:
            return
        self.decoded += len(piece) - len(piece.translate(None, _BEYOND_ASCII))
        self.decoded += _BYTES_OF_AN_ESCAPE * piece.count(b"\\")
        if self._escaping:
            piece = piece[1:]
        # What is left of backslashes in pairs escapes what follows it.
        plain = piece.replace(b"\\\\", b"")
        self._escaping = plain.endswith(b"\\")
        parts = plain.replace(b'\\"', b"").split(b'"')
        outside = b"".join(parts[1 if self._in_string else 0 :: 2])
        self._in_string ^= len(parts) % 2 == 0
        # No other word of JSON has one of these letters.
        self.numberless |= b"N" in outside or b"I" in outside
        # Each value but the first of a text stands behind one of these.
        self.values += sum(map(outside.count, (b",", b":", b"[", b"{")))

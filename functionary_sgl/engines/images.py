"""Images in requests: which of them an engine that sees images is given."""

import base64
import io
from collections.abc import Collection
from urllib.parse import urlsplit

MOST_IMAGES = 16
"""In one conversation. SGLang shows more than 16 with fewer tokens each than models know."""

MOST_BYTES = 2**24
"""Of one that is fetched; those in a request are bounded by its body."""

MOST_PIXELS = 2**25
"""Of one image: a small file can unpack into gigabytes."""

BLIND = "This model sees no images; send parts of the type 'text' only."
"""Why no image may be shown, whatever it is."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def objection(url: str, domains: Collection[str]) -> str | None:
    """None if the image at `url` may be shown, else why not, and what to do about it.

    A `data:` URL may if it holds an image; any other only on one of `domains`, as fetching
    whatever a client names would open the network around the server, and its files, to clients.
    """
    if url.startswith("data:"):
        return _embedded(url)
    try:
        address = urlsplit(url)
    except ValueError:
        return "This is no URL."
    if address.scheme in ("http", "https") and (address.hostname or "") in domains:
        return None
    return (
        "This server does not fetch images from there. Send the image itself, as a data: URL "
        "(data:image/png;base64,...), or have the server started with --allowed-media-domains."
    )


def _embedded(url: str) -> str | None:
    """`objection` to a `data:` URL."""
    kind, _, content = url.partition(",")
    if not (kind.startswith("data:image/") and kind.endswith(";base64")):
        return "A data: URL of an image looks like data:image/png;base64,..."
    try:
        data = base64.b64decode(content, validate=True)
    except ValueError:
        return "What the data: URL holds is not base64."
    return content_objection(data, "What the data: URL holds")


def kind(data: bytes) -> str:
    """The media type of `data`, which has no `content_objection`."""
    from PIL import Image

    format = Image.open(io.BytesIO(data), formats=FORMATS).format
    return str(Image.MIME[str(format)])


def content_objection(data: bytes, place: str) -> str | None:
    """None if `data` is an image that may be shown, else why not; it was found at `place`."""
    from PIL import Image

    try:
        # Reads the header only.
        width, height = Image.open(io.BytesIO(data), formats=FORMATS).size
    except (OSError, SyntaxError, ValueError):
        return f"{place} is no image of the formats {', '.join(FORMATS)}."
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        width = height = MOST_PIXELS
    if width * height > MOST_PIXELS:
        return f"The image has more than {MOST_PIXELS} pixels."
    return None

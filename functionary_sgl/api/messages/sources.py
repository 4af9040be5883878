"""What images and documents have in them, or where it is."""

from functionary_sgl.api.messages.blocks import DocumentBlock, ImageBlock, Source
from functionary_sgl.chat.conversation import Image
from functionary_sgl.errors import RequestError


def image(block: ImageBlock, path: str) -> Image:
    """The image of `block`, which the request has at `path`; RequestError for one that is said to
    be kept somewhere, or is to be changed."""
    if block.transformations:
        raise RequestError(
            "Images are shown as they are; leave out 'transformations'.",
            param=f"{path}.transformations",
        )
    source, place = block.source, f"{path}.source"
    if source.type == "url":
        return Image(_given(source, source.url, "url", place), path)
    if source.type == "base64":
        kind = _given(source, source.media_type, "media_type", place)
        data = _given(source, source.data, "data", place)
        return Image(f"data:{kind};base64,{data}", path)
    raise RequestError(
        f"A source of the type '{source.type}' is not known here; send the image itself with one "
        "of the type 'base64', or its address with 'url'.",
        param=place,
    )


def document(block: DocumentBlock, path: str) -> str:
    """The text of `block`, what it is called and what else is known of it first; RequestError for
    what is no text, or is to be cited."""
    source, place = block.source, f"{path}.source"
    if block.citations is not None and block.citations.enabled:
        raise RequestError(
            "Answers do not cite; leave out 'citations'.", param=f"{path}.citations.enabled"
        )
    if source.type != "text":
        raise RequestError(
            f"A document with a source of the type '{source.type}' cannot be shown here; send its "
            "text.",
            param=place,
        )
    text = _given(source, source.data, "data", place)
    return "\n".join(told for told in (block.title, block.context, text) if told)


def _given(source: Source, value: str | None, field: str, path: str) -> str:
    if value is None:
        raise RequestError(
            f"A source of the type '{source.type}' has its content in '{field}'.", param=path
        )
    return value

"""Bounds of requests, in one place. They are OpenAI's, or generous ones where OpenAI states none.

Those of schemas are in `schemas/bounds.py`, those of images in `engines/images.py`; docs/limits.md
has them all.
"""

MAX_CONNECTIONS = 1_000
"""Unless --max-connections says otherwise."""

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Unless --max-body-mb says otherwise."""

MAX_BODY_VALUES = 65_536
"""JSON values in a body: a thousand tools with sixty each. They are parsed in one go."""

MAX_BODY_DECODED = 8 * 1024 * 1024
"""Bytes of strings that are no ASCII, an escape counting as four: more than any context holds."""

MAX_BODIES_BYTES = 256 * 1024 * 1024
"""Of all bodies that are being read or parsed, but for the first part of each."""

FREE_BODY_BYTES = 1024 * 1024
"""Of one body that may always come in, whatever others send."""

MAX_HEADER_BYTES = 32 * 1024
MAX_HEADER_LINE_BYTES = 8 * 1024
MAX_HEADERS = 100
"""As nginx has them; the request line is one of the lines."""

HEADER_SECONDS = 20
"""From their first byte to their last."""

BODY_SECONDS = 60
"""The same for a body, but for one of which so much comes in that time: it may go on."""

BODY_PROGRESS_BYTES = 1024 * 1024

READ_SECONDS = 60
"""How long a client may take nothing of what is sent to it."""

MAX_ADAPTER_NAME = 256
MAX_ADAPTER_PATH = 4_096
"""As Linux has it."""

MAX_BIASES = 1_024
MAX_CALLS = 1_024
MAX_CHOICE_TEXTS = 1_024
MAX_CHOICES = 128
"""As OpenAI has it; each takes the place of a turn where these are bounded."""

MAX_INCLUDED = 16
MAX_ITEM_ID = 128
MAX_ITEMS = 10_000
"""Of a response's input, those that it goes on from included."""

MAX_MESSAGES = 10_000
MAX_METADATA = 16
MAX_METADATA_KEY = 64
MAX_METADATA_VALUE = 512
MAX_PARTS = 1_024
MAX_SALT_LENGTH = 1_024
MAX_STOPS = 4
MAX_STOP_SEQUENCES = 64
"""Of a request for a message: Anthropic's clients send more than OpenAI's may."""

MAX_STOP_IDS = 64
MAX_STOP_LENGTH = 1_024
MAX_TOKENS = 2**31 - 1
MAX_TOOLS = 1_024

"""Bounds of requests, in one place. They are OpenAI's, or generous ones where OpenAI states none.

Those of schemas are in `schemas/bounds.py`, those of images in `engines/images.py`.
"""

MAX_BODY_BYTES = 32 * 1024 * 1024

MAX_BIASES = 1_024
MAX_CALLS = 1_024
MAX_CHOICES = 16
MAX_MESSAGES = 10_000
MAX_METADATA = 16
MAX_PARTS = 1_024
MAX_SALT_LENGTH = 1_024
MAX_STOPS = 4
MAX_STOP_LENGTH = 1_024
MAX_TOKENS = 2**31 - 1
MAX_TOOLS = 1_024

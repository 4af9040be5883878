"""Messages, Anthropic's API."""

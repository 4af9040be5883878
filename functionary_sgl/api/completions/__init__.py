"""Completions, OpenAI's API of old: a text that goes on, without messages or calls."""

"""Engines: token ids in, token ids out. They know nothing of functions or of HTTP."""

"""Engines: token ids in, token ids out. They know nothing of functions or of HTTP.

`base.py` is what an engine is to the rest of the package; beside it is what all engines share. Each
engine has a room of its own: `sglang`, and `scripted`, which replays a script.
"""

"""Conversations as plain data: no I/O, no engine, no HTTP."""

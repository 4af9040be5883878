"""Requests to SGLang and what it answers, as its `/generate` has them.

They are the same in this process (`engines/sglang`) and over HTTP (`engines/remote`).
"""

"""Responses, OpenAI's API beside Chat Completions."""

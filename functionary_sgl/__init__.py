"""An OpenAI-compatible function-calling server for Functionary models, on SGLang."""

from importlib.metadata import version

__version__ = version("functionary-sgl")

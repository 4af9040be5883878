"""Conversations as the model reads them: token ids, and which of them it learns."""

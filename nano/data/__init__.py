"""The making of conversations: words, values, functions, requests, answers, questions."""

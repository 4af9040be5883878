"""What OpenAI clients see: requests, responses, streams and errors over HTTP."""

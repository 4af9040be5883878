"""A server under mixed load for as long as one likes: what is lost, and what grows."""

"""The model itself, and what learns it."""

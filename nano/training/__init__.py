"""Training the model, and what is done with its weights."""

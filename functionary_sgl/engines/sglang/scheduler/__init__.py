"""What runs in SGLang's scheduler process, and hangs on its hooks there. `process.py` is where that
process begins; it alone is imported elsewhere, to be handed to SGLang."""

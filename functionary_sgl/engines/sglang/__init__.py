"""SGLang as an engine; nothing outside this room imports it, but for the turns' vocabulary.

`launch.py` starts it, `engine.py` asks it, each request by a `stream.py`. What runs in SGLang's own
scheduler process is in `scheduler`.
"""

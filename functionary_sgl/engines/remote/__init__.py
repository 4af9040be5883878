"""SGLang on other machines, asked over HTTP; nothing of it is imported here.

`connection.py` speaks HTTP, `peer.py` is what is at its other end and how that is asked,
`stream.py` one request, `engine.py` the engine that all this makes, `start.py` its beginning.
"""

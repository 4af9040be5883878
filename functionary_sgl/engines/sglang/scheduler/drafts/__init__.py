"""Drafts: tokens that are likely to come next, verified in one pass of the model.

Most of a call is known before the model says it: the grammar allows nothing else (braces, keys of
required properties), or the value was in the request. A draft of a request is what its grammar
forces, and behind that what followed the same ids in its prompt. One pass computes all of it; each
place is drawn as ever, and what equals the draft is kept, so the answer is the same.

It is a speculative algorithm of SGLang's, registered as its plugins are.
"""

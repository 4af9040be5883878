"""functionary-nano: the data, training and held-out questions of the small embedded model.

    python -m nano.tokenizer   learn the vocabulary
    python -m nano.train       train, or go on from the last checkpoint
    python -m nano.export      write the model as a checkpoint that servers load
    python -m nano.heldout     write the questions that `functionary-sgl eval` asks

Everything is drawn from a seed and an index, so that the same seed gives the same conversations
and a position in the training data is a number.
"""

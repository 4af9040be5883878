"""functionary-nano: the data, training and held-out questions of the small embedded model.

    python -m nano.tokens.tokenizer   learn the vocabulary
    python -m nano.training.train     train, or go on from the last checkpoint
    python -m nano.training.export    write the model as a checkpoint that servers load
    python -m nano.data.heldout       write the questions that `functionary-sgl eval` asks

README.md says which file is where.

Everything is drawn from a seed and an index, so that the same seed gives the same conversations
and a position in the training data is a number.
"""

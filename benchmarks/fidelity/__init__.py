"""Where the model's own answer is right, do constraints change nothing?"""

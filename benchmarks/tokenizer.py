"""A tokenizer of the size that models have, trained on the Python files of this environment.

python -m benchmarks.tokenizer tokenizer.json
"""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 128_000
CHARACTERS = 120_000_000


def texts() -> Iterator[str]:
    left = CHARACTERS
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")):
        text = path.read_text("utf-8", errors="ignore")
        left -= len(text)
        if left < 0:
            return
        yield text


def main() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(  # type: ignore[no-untyped-call]
        vocab_size=VOCABULARY,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.save(sys.argv[1])


if __name__ == "__main__":
    main()

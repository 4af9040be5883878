"""The tokenizer: byte-level BPE, made so that a value is cut alike wherever it stands.

    python -m nano.tokens.tokenizer [OUTPUT.json]

A space is not part of the word after it, digits and capital letters of codes stand alone, and
JSON's punctuation makes tokens of its own, spaces included. So a city in a request and the same
city between quotation marks are the same tokens, and copying is what a transformer does best. The
text that is in every prompt costs a few tokens.

Any text comes back exactly: decode(encode(text)) == text.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer

from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.prompt.render import FormatTemplate
from functionary_sgl.tokenizer import ControlTokens
from functionary_sgl.turns import FORMATS
from nano.data.conversations import conversation
from nano.data.words import words

FORMAT = FORMATS["v3.llama3"]
SEED = 20241126
VOCABULARY = 2560
CONVERSATIONS = 20_000
WORD_WEIGHT = 400

BOS, END = "<|begin_of_text|>", "<|eot_id|>"
CONTROL_TOKENS = (
    BOS,
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    END,
    "<|python_tag|>",
    "<|finetune_right_pad_id|>",
    "<|reserved_special_token_0|>",
    "<|reserved_special_token_249|>",
    "<|reserved_special_token_250|>",
)

_SMALL_WORDS = (
    "for the|in the|of the|is the|me the|to the|on the|with the|for a|me a|to a|is a|"
    "the|for|in|of|a|an|to|and|is|with|on|at|that|my|me|I|you|from|about|are|be|by|do"
)
SPLIT = (
    rf'>>>|(?: (?:{_SMALL_WORDS}) )|[{{}}\[\]":,]+ ?"?|\p{{Lu}}?\p{{Ll}}+|\p{{L}}|\p{{N}}|\n+|'
    r"[^\s\p{L}\p{N}]|\s"
)

# Parts of prompts that are the same everywhere.
_FIXED = (
    "} // namespace functions",
    "\n}) => any;\n\n",
    "\n}) => any;\n\n// ",
    " = () => any;\n\n",
    " = () => any;\n\n// ",
    " = (_: {\n",
    " = (_: {\n// ",
    "\ntype ",
    ".\ntype ",
    "\n// ",
    ".\n",
    " | null",
    '" | "',
    "{\n    ",
    "\n    // ",
    ".\n    ",
    "\n    ",
    "\n},",
    *(
        f"{optional}: {kind},"
        for optional in ("", "?")
        for kind in ("string", "number", "boolean", "string[]", "number[]")
    ),
    ", e.g. ",
    "\n\n>>>",
)


def build() -> Tokenizer:
    """The tokenizer, learned from conversations for training."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    fixed = [*_openings(), *_FIXED]
    trainer = BpeTrainer(  # type: ignore[no-untyped-call]
        vocab_size=VOCABULARY - len(fixed) - len(CONTROL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    # The fixed parts are known before, so that nothing is learned from them.
    tokenizer.train_from_iterator(_texts(fixed), trainer)
    # Control tokens come last: the server also uses the vocabulary without them.
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in fixed])
    tokenizer.add_special_tokens(list(CONTROL_TOKENS))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def _openings() -> list[str]:
    """What every prompt begins with, up to its first function, and the interpreter's message."""
    control = ControlTokens(CONTROL_TOKENS)
    renderer = FormatTemplate(FORMAT.template_text or "", control)
    marked = renderer.render(Conversation((), code_interpreter=True), generation=False)
    first, second = (text for text, is_control in control.split(marked) if "\n" in text)
    opening = control.unmark(first.split("} //")[0])
    return [opening, opening + "// ", control.unmark(second)]


def _texts(fixed: list[str]) -> Iterator[str]:
    control = ControlTokens(CONTROL_TOKENS)
    renderer = FormatTemplate(FORMAT.template_text or "", control)
    parts = ControlTokens(fixed)
    # Every word of the lists, oftener than the invented words have any of their parts.
    for entry in sorted({entry for entries in words("train").lists.values() for entry in entries}):
        yield from [entry] * WORD_WEIGHT
        yield from [entry.title()] * (WORD_WEIGHT // 4)
    for index in range(CONVERSATIONS):
        drawn = conversation(Random(f"tokenizer:{SEED}:{index}"), "train")
        for piece, is_control in control.split(renderer.render(drawn, generation=False)):
            if not is_control:
                text = control.unmark(piece)
                yield from (part for part, is_fixed in parts.split(text) if not is_fixed)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("output", type=Path, nargs="?", default=Path(".nano/tokenizer.json"))
    file: Path = parser.parse_args().output
    file.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = build()
    if tokenizer.get_vocab_size() != VOCABULARY:
        raise SystemExit(f"{tokenizer.get_vocab_size()} tokens instead of {VOCABULARY}")
    # One line: the file is read by programs.
    file.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False))
    print(f"{file}: {VOCABULARY} tokens")


if __name__ == "__main__":
    main()

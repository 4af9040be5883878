"""The turn of models whose calls are XML: Qwen3-Coder, Qwen 3.5 and later, Nemotron 3, Step 3.5.

    <think>
    Rome, then.
    </think>

    Let me look.
    <tool_call>
    <function=get_weather>
    <parameter=city>
    Rome
    </parameter>
    <parameter=days>
    3
    </parameter>
    </function>
    </tool_call><|im_end|>

A string stands as it is, between the newlines that the tags have; all else is JSON. It ends with
the first line that is `</parameter>` and nothing more: a string that has such a line cannot be
told from one that ends there, so none is written. Around calls these models have one newline or
two, or none, and the model says which. Seed-OSS has tags of its own, and no newlines in them:

    <seed:think>Rome, then.</seed:think>
    <seed:tool_call>
    <function=get_weather>
    <parameter=city>Rome</parameter>
    </function>
    </seed:tool_call><seed:eos>

The code interpreter is a function with one argument. Source: the models' chat templates.
"""

from dataclasses import replace

from functionary_sgl.grammars.marks import Marks
from functionary_sgl.turns.formats.tool_call import HERMES, Frame, parameter_call, program
from functionary_sgl.turns.reasoning import SEED

FUNCTION = "<function="
MARKS = Marks("<parameter=", ">\n", "\n</parameter>\n", "</function>\n", capitals=True)
INLINE = Marks("<parameter=", ">", "</parameter>\n", "</function>\n", capitals=True)


QWEN3_CODER = replace(
    HERMES,
    name="qwen3-coder",
    program=program(
        "<|im_end|>",
        parameter_call(MARKS, before=FUNCTION, after=">\n"),
        Frame(thought=("\n\n", "\n"), call=("\n", ""), end=("", "\n")),
    ),
    parameters=MARKS,
    models=(
        "Qwen/Qwen3-Coder-*",
        "Qwen/Qwen3.5-*",
        "Qwen/Qwen3.6-*",
        "nvidia/NVIDIA-Nemotron-3-*",
        "stepfun-ai/Step-3.5-*",
    ),
)
SEED_OSS = replace(
    QWEN3_CODER,
    name="seed-oss",
    program=program(
        "<seed:eos>",
        parameter_call(INLINE, before=FUNCTION, after=">\n"),
        Frame("<seed:tool_call>", "</seed:tool_call>", SEED, thought=("\n",)),
    ),
    parameters=INLINE,
    models=("ByteDance-Seed/Seed-OSS-*",),
    control_tokens=("<seed:bos>", "<seed:eos>"),
    stop_tokens=("<seed:eos>",),
    marks=("<seed:tool_call>", "</seed:tool_call>", "<seed:think>", "</seed:think>"),
    tags=SEED,
)

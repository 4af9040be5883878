"""The turn of GLM 4.5 to 5 and of those that took their form: reasoning, text and calls whose
arguments are keys and values in tags.

    <think>Rome, then.</think>
    Let me look.
    <tool_call>get_weather
    <arg_key>city</arg_key>
    <arg_value>Rome</arg_value>
    <arg_key>days</arg_key>
    <arg_value>3</arg_value>
    </tool_call><|observation|>

is that of GLM 4.5 and 4.6, where a newline stands before each of its parts. GLM 4.7 and 5 have
none, and their prompt has begun the reasoning:

    Rome, then.</think>Let me look.<tool_call>now</tool_call><|observation|>

Ling 3 has some. A string stands as it is, all else is JSON; it ends with the first `</arg_value>`,
in GLM 4.5 and 4.6 with the first that ends its line. The tags are tokens of these models, which
write no others for them. A turn ends with the mark of who speaks next, which the next prompt has in
the same place. The code interpreter is a function with one argument. Source: the models' chat
templates.
"""

from dataclasses import replace

from functionary_sgl.grammars.marks import Marks
from functionary_sgl.turns.formats.tool_call import HERMES, Frame, parameter_call, program
from functionary_sgl.turns.reasoning import LINE_THINK, NOW_THINK

KEY, OPEN_VALUE, CLOSE_VALUE, END = "<arg_key>", "<arg_value>", "</arg_value>", "</tool_call>"
LINES = Marks(KEY, "</arg_key>\n" + OPEN_VALUE, CLOSE_VALUE + "\n", END)
DENSE = Marks(KEY, "</arg_key>" + OPEN_VALUE, CLOSE_VALUE, END)
HALF = Marks(KEY, "</arg_key>\n" + OPEN_VALUE, CLOSE_VALUE, "\n" + END)

LING_THINK = LINE_THINK._replace(text="")
SPEAKERS = ("<|observation|>", "<|user|>")
TAGS = ("<think>", "</think>", "<tool_call>", END, KEY, "</arg_key>", OPEN_VALUE, CLOSE_VALUE)


GLM_45 = replace(
    HERMES,
    name="glm-4.5",
    program=program(
        SPEAKERS[0],
        parameter_call(LINES, after="\n"),
        Frame(close="", tags=LINE_THINK, start="\n", thought=("",), inside=""),
    ),
    parameters=LINES,
    models=("zai-org/GLM-4.5*", "zai-org/GLM-4.6*"),
    control_tokens=("[gMASK]", "<sop>", "<|system|>", "<|assistant|>", *SPEAKERS),
    stop_tokens=(*SPEAKERS, "<|endoftext|>"),
    ends_in_history=SPEAKERS,
    marks=(*TAGS, "<tool_response>", "</tool_response>"),
    tags=LINE_THINK,
)
GLM_47 = replace(
    GLM_45,
    name="glm-4.7",
    program=program(
        SPEAKERS[0],
        parameter_call(DENSE, after="", followed=(KEY, END)),
        Frame(close="", tags=NOW_THINK, thought=("",), call=("",), inside=""),
    ),
    parameters=DENSE,
    models=("zai-org/GLM-4.7*", "zai-org/GLM-5*"),
    tags=NOW_THINK,
)
LING_3 = replace(
    GLM_45,
    name="ling-3",
    program=program(
        "<|role_end|>",
        parameter_call(HALF, after="\n"),
        Frame(close="", tags=LING_THINK, thought=("", "\n"), inside=""),
    ),
    parameters=HALF,
    models=("inclusionAI/Ling-3*",),
    control_tokens=("<|role_end|>",),
    stop_tokens=("<|role_end|>", "<|endoftext|>"),
    ends_in_history=(),
    marks=(*GLM_45.marks, "<role>", "</role>"),
    tags=LING_THINK,
)

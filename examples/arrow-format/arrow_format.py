"""A format of another package: text, then calls behind arrows.

Let me look.<|arrow|>get_weather {"city": "Rome"}<|arrow|>now {}<|end|>
"""

from typing import Any

from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns import Format, Offer
from functionary_sgl.turns.steps import arguments, callee, reach
from functionary_sgl.turns.vocabulary import function, select

ARROW = "<|arrow|>"
END = "<|end|>"

TEMPLATE = """\
{% for tool in tools -%}
<|turn|>tool
{{ definition(tool) }}<|end|>
{%- endfor -%}
{%- for message in messages -%}
<|turn|>{{ message.role }}
{{ message.content }}
{%- for call in message.calls -%}
<|arrow|>{{ call.name }} {{ call.arguments }}
{%- endfor -%}
<|end|>
{%- endfor -%}
{%- if add_generation_prompt -%}
<|turn|>assistant
{% endif -%}
"""


@function
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Text up to the first arrow, then a call behind each."""
    s += prompt
    if not reach(s, ARROW, offer):
        return
    place = 0
    while True:
        name = callee(s, place, offer, after=" ")
        if name is None or not arguments(s, place, offer, name, [ARROW]) or not offer.parallel:
            return
        s += select(f"next_{place}", [END, ARROW])
        if s[f"next_{place}"] == END:
            return
        place += 1


FORMAT = Format(
    name="arrow",
    program=turn,
    models=("acme/arrow-7b",),
    template=TEMPLATE,
    control_tokens=("<|turn|>", ARROW, END),
    stop_tokens=(END,),
    code=False,
)

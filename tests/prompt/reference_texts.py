"""The fixed sentences of Functionary's templates."""

JUPYTER = (
    "When you send a message containing Python code to python, it will be executed in a stateful "
    "Jupyter notebook environment. python will respond with the output of the execution or time "
    "out after 60.0 seconds. The drive at '/mnt/data' can be used to save and persist user files."
)
CURIOUS = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions. The assistant calls functions "
    "with appropriate input when necessary"
)
CAPABLE = "You are capable of executing available function(s) if required."
RECIPIENTS = (
    f"{CAPABLE}\nOnly execute function(s) when absolutely necessary.\nAsk for the required input "
    "to:recipient==all\nUse JSON for function arguments.\nRespond in this format:\n"
    ">>>${recipient}\n${content}\nAvailable functions:\n"
)
CAREFULLY = "Think very carefully before calling functions.\n"
TAGS = """\
If a you choose to call a function ONLY reply in the following format:
<{start_tag}={function_name}>{parameters}{end_tag}
where

start_tag => `<function`
parameters => a JSON dict with the function argument name as key and function argument value as value.
end_tag => `</function>`

Here is an example,
<function=example_function_name>{"example_name": "example_value"}</function>

Reminder:
- If looking for real time information use relevant functions before falling back to brave_search
- Function calls MUST follow the specified format, start with <function= and end with </function>
- Required parameters MUST be specified
- Only call one function at a time
- Put the entire function call reply on one line
"""  # noqa: E501
SIGNATURES = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are "
    "provided with function signatures within <tools></tools> XML tags:\n<tools>\n"
)
AS_TOOL_CALL = (
    "</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
PYTHON = {
    "name": "python",
    "description": "This tool is used to execute python code. Code will be executed in a stateful "
    "Jupyter notebook environment. Python will respond with the output of the execution or time "
    "out after 60.0 seconds. The drive at '/mnt/data' can be used to save and persist user files.",
    "parameters": {
        "type": "object",
        "properties": {"code": {"type": "string", "description": "The python code to run"}},
    },
}

"""Runs agents of OpenAI's Agents SDK as they are by default: by responses.

python openai_agents.py BASE_URL        prints {"version": ..., "outcomes": ...}
"""

import asyncio
import importlib.metadata
import json
import sys

import agents
import openai
import pydantic

client = openai.AsyncOpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
agents.set_default_openai_client(client, use_for_tracing=False)
agents.set_tracing_disabled(True)


class Day(pydantic.BaseModel):
    day: str


@agents.function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"In {city} it is 30 degrees."


def agent(**fields):
    return agents.Agent(name="Helper", instructions="Be brief.", model="m", **fields)


async def main():
    outcomes = {}
    asker = agent(tools=[get_weather])
    whole = await agents.Runner.run(asker, "[agent]")
    outcomes["whole"] = whole.final_output
    streamed = agents.Runner.run_streamed(asker, "[agent]")
    text = ""
    async for event in streamed.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            text += event.data.delta
    outcomes["streamed"] = [streamed.final_output, text]
    outcomes["structured"] = (
        await agents.Runner.run(agent(output_type=Day), "[day]")
    ).final_output.day
    helper = agent(handoff_description="Knows the weather.", tools=[get_weather])
    first = agents.Agent(name="First", model="m", handoffs=[helper])
    outcomes["handed over"] = (await agents.Runner.run(first, "[handoff]")).last_agent.name
    version = importlib.metadata.version("openai-agents")
    print(json.dumps({"version": version, "outcomes": outcomes}))


asyncio.run(main())

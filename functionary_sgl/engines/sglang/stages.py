"""Models that SGLang does not split into stages (`--pp-size`)."""

from functionary_sgl.errors import UsageError

_NO_HEAD = frozenset(
    {"LlamaForCausalLM", "MistralForCausalLM", "LlavaLlamaForCausalLM", "FunctionaryForCausalLM"}
)
"""Architectures whose last stage has no output layer of its own where that is the embedding, which
the first stage has: SGLang 0.5.23 starts, and dies of the first request. Other models' classes
look for that (models/llama.py, models/qwen2.py)."""


def check(model_path: str, stages: int) -> None:
    """UsageError where the model cannot have so many `stages`."""
    if stages == 1:
        return
    from transformers import PretrainedConfig

    try:
        config, _ = PretrainedConfig.get_config_dict(model_path)
    except (OSError, ValueError):
        return  # SGLang will say it better
    names = config.get("architectures")
    known = _NO_HEAD.intersection(names) if isinstance(names, list) else ()
    if known and config.get("tie_word_embeddings"):
        raise UsageError(
            f"--pp-size {stages}: SGLang cannot split this model, whose output layer is its "
            "embedding (tie_word_embeddings), into stages; use --tp-size to share it, or --dp-size "
            "for copies of it"
        )

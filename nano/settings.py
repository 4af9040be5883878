"""What `config.toml` says, checked."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).parent / "config.toml"


@dataclass(frozen=True)
class Stage:
    """A part of the training; see config.toml."""

    name: str
    tokens: int
    batch_tokens: int
    copying: float
    longest: int
    drills: float = 0.0
    decisions: float = 0.0
    needs: float = 0.0


@dataclass(frozen=True)
class ProbeSettings:
    """What hidden states are asked; see config.toml, and nano.network.probes."""

    wanted: int
    values: int
    needed: int
    weight: float


@dataclass(frozen=True)
class Settings:
    """A training; see config.toml. Adapters (pirate.toml) have no `matrix_lr` and no `model`."""

    seed: int
    tokens: int
    decay_tokens: int
    warmup_steps: int
    other_lr: float
    checkpoint_steps: int
    validation_steps: int
    validation_samples: int
    stages: tuple[Stage, ...]
    matrix_lr: float = 0.0
    recipient_weight: float = 1.0
    new_layers_after: tuple[int, ...] = ()
    model: dict[str, Any] = field(default_factory=dict)
    probes: ProbeSettings | None = None

    @classmethod
    def read(cls, file: Path = CONFIG) -> "Settings":
        """The settings in `file`; a TypeError names what is missing or unknown."""
        return cls.of(tomllib.loads(file.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Settings":
        """The settings that a file's `content` stands for; raises as `read` does."""
        parts: dict[str, Any] = {"stages": tuple(Stage(**stage) for stage in content["stages"])}
        if "probes" in content:
            parts["probes"] = ProbeSettings(**content["probes"])
        return cls(**content | parts)

    @property
    def probe_weight(self) -> float:
        """How much the losses of the probes count."""
        return self.probes.weight if self.probes else 0.0

    def learning_rate(self, step: int, tokens: int) -> float:
        """The share of the full learning rate: it rises, stays, and falls to nothing at the end,
        so that a training can be made longer from any point before its fall."""
        rising = min(1.0, (step + 1) / self.warmup_steps)
        falling = min(1.0, max(0.0, (self.tokens - tokens) / self.decay_tokens))
        return rising * falling

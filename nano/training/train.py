"""Train the model, or go on from the last checkpoint.

    python -m nano.training.train [--config FILE] [--directory DIRECTORY] [--fresh]
                                  [--from DIRECTORY] [--minutes N]

The directory has tokenizer.json (see nano.tokens.tokenizer) and gets checkpoint.pt, from which a
training goes on exactly as if it had not been interrupted; stable.pt, the last one before the
learning rate fell, from which it can be made longer (raise `tokens`, copy it over checkpoint.pt);
metrics.jsonl; and curves.png. Ctrl-C and SIGTERM let the step that runs end, and save a checkpoint.

With --from, a training that has no checkpoint yet begins with the weights and the tokenizer of a
trained model instead of from nothing.
"""

import argparse
import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from tqdm import tqdm

from functionary_sgl.chat.conversation import Conversation
from nano.data import conversations
from nano.data.words import Split
from nano.network import attention, induction, model
from nano.network.llama import Llama, load
from nano.network.probes import Probes
from nano.settings import CONFIG, Settings
from nano.tokens.samples import Sampler
from nano.tokens.stream import Position, Step, Stream
from nano.training import curves, memory
from nano.training.validation import Validation


class Training:
    """A training in `directory`; it begins where the checkpoint there was made, if there is one.

    What learns, and from which conversations, is said by `make`, `make_optimizers` and `talk`, so
    that a subclass can train something else (nano.training.adapter).
    """

    def __init__(
        self,
        settings: Settings,
        directory: Path,
        compiled: bool = True,
        trained: Path | None = None,
    ) -> None:
        """`trained` is a model's directory, to begin with its weights."""
        self.settings = settings
        self.directory = directory
        self._trained = trained
        if trained is not None:
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copy(trained / "tokenizer.json", directory)
        self.sampler = Sampler(directory / "tokenizer.json")
        torch.manual_seed(settings.seed)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = self.make().to(device)
        asks = settings.probes
        self.probes = Probes(self.model.config.hidden_size, asks).to(device) if asks else None
        made = self.make_optimizers()
        self.optimizers = [optimizer for optimizer, _ in made]
        self._rates = [rate for _, rate in made]
        self.position = Position()
        self.metrics: list[dict[str, Any]] = []
        if (file := directory / "checkpoint.pt").is_file():
            self._restore(torch.load(file, map_location=device, weights_only=True))
        if device == "cpu":
            attention.use(self.model)
        if compiled:
            model.compiled(self.model)

    def make(self) -> Llama:
        """The model before its first step."""
        if self._trained is not None:
            trained = load(self._trained)
            model.deepen(trained, self.settings.new_layers_after)
            return trained
        new = model.build(self.settings.model, self.sampler.tokenizer)
        induction.prepare(new)
        return new

    def make_optimizers(self) -> list[tuple[torch.optim.Optimizer, float]]:
        """Optimizers of the model's weights, each with its full learning rate."""
        rates = self.settings.matrix_lr, self.settings.other_lr
        made = list(zip(model.optimizers(self.model, *rates), rates, strict=True))
        if self.probes:
            made.append((torch.optim.AdamW(self.probes.parameters(), lr=rates[1]), rates[1]))
        return made

    def talk(self, random: Random, split: Split) -> Conversation:
        """A conversation to learn from, or with held-out words to be judged by."""
        return conversations.conversation(random, split)

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Train to the end, or until `stop` says so after a step; then, and every now and then,
        save a checkpoint."""
        validation = Validation(self.sampler, self.settings.validation_samples, self.talk)
        bar = tqdm(
            total=self.settings.tokens,
            initial=self.position.tokens,
            unit="tok",
            unit_scale=True,
            mininterval=10,
        )
        with bar:
            done = self.position.to_dict()
            for step in Stream(self.settings, self.sampler, self.talk).steps(self.position):
                falls = done["tokens"] >= self.settings.tokens - self.settings.decay_tokens
                if falls and not (self.directory / "stable.pt").is_file():
                    self._save("stable.pt", done)
                self._log(self._step(step), bar)
                bar.update(self.position.tokens - done["tokens"])
                done = self.position.to_dict()
                if self.position.step % self.settings.validation_steps == 0:
                    self._log_validation(validation, bar)
                    curves.draw(self.metrics, self.directory / "curves.png")
                if self.position.step % self.settings.checkpoint_steps == 0:
                    self._save("checkpoint.pt", done)
                if stop():
                    break
        self._log_validation(validation, bar)
        curves.draw(self.metrics, self.directory / "curves.png")
        self._save("checkpoint.pt", done)

    def _step(self, step: Step) -> dict[str, float]:
        share = self.settings.learning_rate(self.position.step - 1, self.position.tokens)
        for optimizer, rate in zip(self.optimizers, self._rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * share
        weighed = [1 + (self.settings.recipient_weight - 1) * b.recipients.float() for b in step]
        answers = sum(map(len, weighed))
        whole = float(sum(weights.sum() for weights in weighed))
        loss = right = 0.0
        probed: dict[str, float] = {}
        for batch, weights in zip(step, weighed, strict=True):
            states = model.states(self.model, batch)
            logits, ids = model.answer_logits(self.model, batch, states)
            part = model.loss(logits, ids, weights.to(ids.device) / whole)
            asked = self.probes.losses(states, batch.samples) if self.probes else {}
            (part + sum(asked.values()) * self.settings.probe_weight).backward()
            loss += part.item()
            right += (logits.detach().argmax(-1) == ids).sum().item() / answers
            probed |= {name: value.item() for name, value in asked.items()}
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return {"loss": loss, "accuracy": right, "lr": share} | probed

    def _log(self, measured: dict[str, Any], bar: Any) -> None:
        stage = self.settings.stages[self.position.stage].name
        at = {"step": self.position.step, "tokens": self.position.tokens, "stage": stage}
        self.metrics.append({**at, **measured})
        if "loss" in measured:
            bar.set_postfix_str(
                f"{stage} loss {measured['loss']:.3f} right {measured['accuracy']:.3f}"
            )

    def _log_validation(self, validation: Validation, bar: Any) -> None:
        measured = validation.measure(self.model)
        self._log({"validation": measured}, bar)
        shown = {name: round(value, 3) for name, value in measured.items()}
        bar.write(f"{self.position.tokens / 1e6:.2f}M {shown}")

    def _save(self, name: str, position: dict[str, int]) -> None:
        state = {
            "model": self.model.state_dict(),
            "probes": self.probes.state_dict() if self.probes else {},
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "position": position,
            "metrics": json.dumps(self.metrics),
            "random": torch.get_rng_state(),
        }
        partial = self.directory / f"{name}.partial"
        torch.save(state, partial)
        partial.replace(self.directory / name)
        lines = "".join(json.dumps(entry) + "\n" for entry in self.metrics)
        (self.directory / "metrics.jsonl").write_text(lines)

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        if self.probes:
            self.probes.load_state_dict(state["probes"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.position = Position(**state["position"])
        self.metrics = json.loads(state["metrics"])
        torch.set_rng_state(state["random"].cpu())


def told_to_stop(minutes: float) -> Callable[[], bool]:
    """Whether so many minutes are over, or Ctrl-C or SIGTERM came, from now on."""
    until = time.monotonic() + 60 * minutes
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    signal.signal(signal.SIGINT, lambda number, _: signals.append(number))
    return lambda: bool(signals) or time.monotonic() > until


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--directory", type=Path, default=Path(".nano"))
    parser.add_argument("--fresh", action="store_true", help="begin anew")
    parser.add_argument("--from", type=Path, dest="trained", help="a model to begin with")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these")
    options = parser.parse_args()
    if options.fresh:
        for name in ("checkpoint.pt", "stable.pt"):
            (options.directory / name).unlink(missing_ok=True)
    memory.keep()
    settings = Settings.read(options.config)
    training = Training(settings, options.directory, trained=options.trained)
    training.run(told_to_stop(options.minutes))


if __name__ == "__main__":
    main()

.DEFAULT_GOAL := help
.PHONY: help install serve test test-fast coverage fuzz fuzz-api fuzz-engine attack soak guarantee promises fidelity bench eval bfcl check format wheel model nano adapter clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.9
FUZZED := tests/runtime tests/prompt tests/tokenizer tests/chat tests/schemas/test_mistakes.py \
	tests/api/chat/test_requests.py

# Where Python may not keep compiled modules, SGLang takes three times as long to start.
unexport PYTHONDONTWRITEBYTECODE

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(VENV)/.installed  ## Set up .venv with everything that serving and testing need

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet $(UV)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group dev --editable .
	@touch $@

serve: install  ## Serve a model on http://127.0.0.1:8000 (ARGS="--model-path ... --port ...")
	@$(BIN)/python server_sglang.py $(ARGS)

# In processes of their own: SGLang and torch's compiler, both in one, crash when it ends. pytest's 5
# says that ARGS chose none.
test: install  ## Run all tests, those with a running SGLang too (ARGS="-k name")
	$(BIN)/python -m pytest -q -n 2 --ignore tests/engine $(ARGS) || [ $$? -eq 5 ]
	$(BIN)/python -m pytest -q tests/engine $(ARGS) || [ $$? -eq 5 ]

# Not those of other processes, of suites, of a large vocabulary and of the training, and with fewer
# examples of hypothesis.
SLOW := engine clients cli deploy page sandbox nano test_promises.py test_gate.py test_streams.py \
	test_serving_shapes.py
test-fast: install  ## Run what needs no engine and no other process, in about a minute
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -q -n 2 $(SLOW:%=--ignore tests/%) $(ARGS)

# Part by part: in a process that has had tens of thousands of greenlets, coverage never ends.
coverage: install  ## Measure which lines of the package the tests run, in servers' processes too
	$(BIN)/coverage erase
	@for part in $(filter-out tests/data/ tests/nano/ tests/__pycache__/,$(wildcard tests/*/ tests/test_*.py)); do \
		$(BIN)/coverage run -m pytest -q $$part $(ARGS); [ $$? -eq 0 -o $$? -eq 5 ] || exit 1; done
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fuzz: install  ## Run the property tests over and over until one fails (ARGS="-k hermes")
	while HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -q $(FUZZED) $(ARGS); do :; done

fuzz-api: install  ## Send to the server whatever its OpenAPI document allows, and forbids
	SCHEMATHESIS_EXAMPLES=1000 $(BIN)/python -m pytest -q tests/clients/test_schemathesis.py $(ARGS)

fuzz-engine: install  ## Send thousands of sampling fields at their bounds to the real engine
	ENGINE_FUZZ_REQUESTS=5000 $(BIN)/python -m pytest -q tests/engine/test_extremes.py $(ARGS)

attack: install  ## Attack a server, and print figures and limits (ARGS="--engine scripted --json")
	$(BIN)/python -m benchmarks.attack $(ARGS)

soak: install  ## Load a server for 30 minutes: nothing is lost or grows (ARGS="--minutes 5 --json")
	$(BIN)/python -m benchmarks.soak $(ARGS)

guarantee: install  ## Count valid calls of 2,000 random requests (ARGS="--cases 100 --json")
	$(BIN)/python -m benchmarks.guarantee $(ARGS)

promises: install  ## Count what becomes of suites of schemas (ARGS="--suite BFCL --json")
	$(BIN)/python -m benchmarks.promises $(ARGS)

fidelity: .bfcl/.installed  ## Compare answers with and without constraints (ARGS="--limit 10 --json")
	$(BIN)/python -m benchmarks.fidelity $(ARGS)

bench: install  ## Compare the speed with SGLang's own server (ARGS="--short --workloads chat")
	$(BIN)/python -m benchmarks.serving $(ARGS)

check: install  ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install  ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: install  ## Build what is released, a wheel and an sdist, into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build --directory dist

model: install  ## Build the model with random weights that tests use
	$(BIN)/python scripts/make_tiny_model.py

nano: install  ## Train functionary-nano, or go on from its last checkpoint in .nano
	@test -f .nano/tokenizer.json || $(BIN)/python -m nano.tokens.tokenizer
	$(BIN)/python -m nano.training.train $(ARGS)
	$(BIN)/python -m nano.training.export
	$(BIN)/python -m nano.data.heldout

adapter: install  ## Train functionary-nano-pirate, a LoRA adapter for functionary-nano
	$(BIN)/python -m nano.training.adapter $(ARGS)

eval: install  ## Score a model with the held-out questions (ARGS="--base-url ..." or a server's flags)
	@$(BIN)/python -m functionary_sgl eval $(ARGS)

bfcl: .bfcl/.installed  ## Score a running server with the Berkeley leaderboard (ARGS="--base-url ...")
	@.bfcl/bin/python -W ignore scripts/bfcl.py $(ARGS)

.bfcl/.installed: $(VENV)/.installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .bfcl
	$(BIN)/uv pip install --quiet --python .bfcl/bin/python --group bfcl
	$(BIN)/uv pip install --quiet --python .bfcl/bin/python --no-deps --editable .
	@touch $@

clean:  ## Remove the environment and all caches
	rm -rf $(VENV) .bfcl .chromium .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

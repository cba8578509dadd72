# make demo: everything on a simulated company · make pages: open the pages · make test: everything that is checked
SHELL := /bin/sh
BIN := .venv/bin
SPM := $(BIN)/spm
DEMO := data/demo

.DEFAULT_GOAL := help
.PHONY: help demo pages test benchmark benchmark-series benchmark-kpis lint types layers pytest pytest-spark dictionary lock clean

help:  ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.venv/ready: requirements.lock pyproject.toml .ci/environment
	@sh .ci/environment

demo: .venv/ready  ## Build the sample company, run the weekly job on it, say where the results are
	@sh .ci/packages pango || echo "Reports will be made as HTML only."
	@$(SPM) sample $(DEMO) --size usual --keep
	@$(SPM) run weekly --workspace $(DEMO)
	@echo "Open the pages with: make pages"

pages: .venv/ready  ## Open the pages on the demo
	@$(SPM) pages --workspace $(DEMO)

test: .venv/ready lint pytest pytest-spark  ## Install what tests need, then check and test everything

lint: .venv/ready  ## Style, types, layers, notebooks without outputs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

pytest: .venv/ready
	@sh .ci/packages chromium playwright pango postgres || [ -z "$$CI" ]
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

.venv-spark/ready: requirements-spark.lock | .venv/ready
	@echo "Making .venv-spark from requirements-spark.lock (about a minute, once; 434 MB) …"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-spark
	@$(BIN)/uv pip install --quiet --python .venv-spark/bin/python --require-hashes -r requirements-spark.lock
	@$(BIN)/uv pip install --quiet --python .venv-spark/bin/python --no-deps --no-build-isolation --editable .
	@touch .venv-spark/ready

pytest-spark: .venv-spark/ready  ## The KPIs on Spark give what they give on DuckDB
	@sh .ci/packages java || [ -z "$$CI" ]
	@.venv-spark/bin/python -m pytest -m spark tests/kpis/test_engines.py

.venv-benchmark/ready: requirements-benchmark.lock | .venv/ready
	@echo "Making .venv-benchmark from requirements-benchmark.lock (about a minute, once) …"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-benchmark
	@$(BIN)/uv pip install --quiet --python .venv-benchmark/bin/python --require-hashes -r requirements-benchmark.lock
	@$(BIN)/uv pip install --quiet --python .venv-benchmark/bin/python --no-deps --no-build-isolation --editable .
	@touch .venv-benchmark/ready

benchmark: .venv-benchmark/ready  ## Win probability beside its peers (WHAT=--quick for a part of it)
	@sh .ci/packages openmp || echo "LightGBM will be told as not installed."
	@.venv-benchmark/bin/python benchmarks/win_probability.py $(WHAT)

.venv-benchmark-series/ready: requirements-benchmark-series.lock | .venv/ready
	@echo "Making .venv-benchmark-series from requirements-benchmark-series.lock (half a minute, once) …"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-benchmark-series
	@$(BIN)/uv pip install --quiet --python .venv-benchmark-series/bin/python --require-hashes \
	    -r requirements-benchmark-series.lock
	@touch .venv-benchmark-series/ready

benchmark-series: .venv-benchmark-series/ready  ## Revenue series beside their peers (WHAT=--quick for a part of it)
	@$(BIN)/python benchmarks/revenue/series.py $(WHAT)

benchmark-kpis: .venv/ready  ## All KPIs on DuckDB beside plain pandas (WHAT=--quick for a hundredth)
	@$(BIN)/python benchmarks/kpis.py $(WHAT)

dictionary: .venv/ready  ## Write the data dictionary from the schemas
	@$(BIN)/python -m spm_models.crm.dictionary > data/README.md

lock: .venv/ready  ## Resolve the lock files again from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra test --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra test --extra benchmark --constraint requirements.lock --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	    --output-file requirements-benchmark.lock
	@$(BIN)/uv pip compile --group pyproject.toml:benchmark-series --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-benchmark-series.lock
	@$(BIN)/uv pip compile pyproject.toml --extra test --extra spark --constraint requirements.lock --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	    --output-file requirements-spark.lock

clean:  ## Remove the environments and the demo
	rm -rf .venv .venv-benchmark .venv-benchmark-series .venv-spark $(DEMO)

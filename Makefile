# Everything starts from a bare clone: each target makes what it needs, and the second time finds it made.

PORT ?= 8000
BIN = $(CURDIR)/.venv/bin
export PYTHONUNBUFFERED = 1

.PHONY: help demo test lint bench clean

help:
	@echo "make demo   the demo blog, a worker and the dashboard on http://localhost:$(PORT)/ (PORT=… for another)"
	@echo "make test   linters, types, and the tests on the oldest and the newest Python and Django found here"
	@echo "make lint   linters and types only"
	@echo "make bench  measure this library, beside other queues too: half an hour"
	@echo "make clean  remove what these commands have made, the demo's data included"

demo: export PATH := $(BIN):$(PATH)
demo: export PORT := $(PORT)
demo:
	.ci/environment .venv oldest '~=5.2.0' demo
	python manage.py prepare_demo
	exec honcho start

test: lint
	.ci/pairs

lint:
	.ci/environment .venv oldest '~=5.2.0' demo test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench:
	.ci/environment .venv-bench oldest '~=5.2.0' bench
	.venv-bench/bin/python -m benchmarks
	.venv-bench/bin/python -m benchmarks.peers --write docs/benchmarks

clean:
	-test ! -x $(BIN)/python || $(BIN)/python manage.py jobredis stop
	rm -rf .venv .venv-newest .venv-bench .jobqueue .ci/cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf build dist htmlcov staticfiles test-artifacts .coverage* db.sqlite3*

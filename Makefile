# Everything a newcomer needs. Each target installs what it lacks; .venv/bin/disco is the command.
.DEFAULT_GOAL := help
# Where this is set, each of many processes would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo test check mutants faults bench lock bootstrap

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: bootstrap ## Start everything on the demo catalogue; Ctrl-C ends it
	@.venv/bin/disco demo up

test: bootstrap ## Run every check and test on real services of its own
	@scripts/test

check: bootstrap ## Format, lint, types, import contracts, unit tests; no services, under 30 s
	@scripts/check

mutants: bootstrap ## Switch off each guard of the indexer, and see that storms on real services notice
	@scripts/test --exhaustive tests/integration/indexer/test_mutants.py

bench: bootstrap ## Run every benchmark; results go to benchmarks/results/
	@scripts/bench

faults: bootstrap ## Run all schedules of faults on real services; writes docs/faults.md
	@scripts/faults $(FAULTS)

lock: bootstrap ## Pin the dependencies of pyproject.toml anew
	@scripts/lock --upgrade

bootstrap:
	@scripts/bootstrap

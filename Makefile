# Each target brings what it needs; see sandbox/install.sh.
.PHONY: rehearse test check chaos bench

rehearse: ## a whole upgrade under load, on this machine
	@./handover rehearse

test: ## all tests
	@sandbox/run --sandbox mocha

check: ## format, lint, types and workflows
	@sandbox/run biome check --error-on-warnings .
	@sandbox/run tsc
	@sandbox/run --lint actionlint

chaos: ## kills and faults at every point of an upgrade; SEED=n and POINTS=pattern choose
	@sandbox/run --sandbox node sandbox/chaos/main.ts $(if $(SEED),--seed $(SEED)) $(if $(POINTS),--points '$(POINTS)')

bench: ## how often the comparison of new and old is right, and how long smoke takes; SEED=n chooses other chances
	@sandbox/run node sandbox/bench/comparison.ts $(if $(SEED),--seed $(SEED))
	@sandbox/run node sandbox/bench/smoke.ts

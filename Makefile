# Each target brings what it needs; see tools/install.sh.
.PHONY: rehearse test test-unit check chaos lag lag-mutations storms bench engines

rehearse: ## a whole upgrade under load, on this machine
	@./handover rehearse

test: ## all tests
	@tools/run --sandbox mocha

test-unit: ## the tests that need no cloud, in under a minute
	@tools/run --engine mocha --config .mocharc.unit.mjs

check: ## format, lint, types, imports and workflows
	@tools/run biome check --error-on-warnings .
	@tools/run tsc
	@tools/run depcruise index.ts automation stacks provider sandbox
	@tools/run mocha --no-config --reporter dot test/ci/source.test.ts
	@tools/run --lint actionlint .github/workflows/*.yml automation/init/project/github/*.yml

chaos: ## kills and faults at every point of an upgrade; SEED=n, POINTS=pattern, LAG=seconds and STALE=seconds choose
	@tools/run --sandbox node sandbox/chaos/main.ts $(if $(SEED),--seed $(SEED)) $(if $(POINTS),--points '$(POINTS)') $(if $(LAG),--balancer-lag $(LAG)) $(if $(STALE),--stale-reads $(STALE))

engines: ## a rehearsal with each release of the engine that people have; VERSIONS="3.220.0 …" chooses
	@tools/engines $(VERSIONS)

lag: ## upgrades and ways back with a load balancer that learns late; ROWS=pattern, SEEDS=1,2, JOBS=n, FULL=1 choose
	@tools/run --sandbox node sandbox/lag/main.ts $(if $(ROWS),--rows '$(ROWS)') $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(FULL),--full)

storms: ## one thing happens beside an upgrade, in every phase; ROWS=pattern, EVENTS=pattern, SEED=n, JOBS=n, FULL=1 choose
	@tools/run --sandbox node sandbox/storms/main.ts $(if $(ROWS),--rows '$(ROWS)') $(if $(EVENTS),--events '$(EVENTS)') $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS)) $(if $(FULL),--full)

lag-mutations: ## whether `make lag` finds faults of the driver; ONLY=pattern chooses
	@tools/run --sandbox node sandbox/lag/mutate.ts $(if $(ONLY),--only '$(ONLY)')

bench: ## how often the comparison of new and old is right, and how long smoke takes; SEED=n chooses other chances
	@tools/run node sandbox/bench/comparison.ts $(if $(SEED),--seed $(SEED))
	@tools/run node sandbox/bench/smoke.ts

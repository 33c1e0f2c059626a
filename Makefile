# Each target brings what it needs; see sandbox/install.sh.
.PHONY: rehearse test check

rehearse: ## a whole upgrade under load, on this machine
	@./handover rehearse

test: ## all tests
	@sandbox/run mocha

check: ## format, lint and types
	@sandbox/run biome check --error-on-warnings .
	@sandbox/run tsc

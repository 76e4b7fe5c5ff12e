# `make` lists what there is. Everything is installed into node_modules; nothing is written outside the checkout.
SHELL := /bin/sh
BIN := node_modules/.bin
# The Node that npm installed, where there is one; looked for when a recipe runs, for a clean clone has none before.
RUN = PATH="$(CURDIR)/$(BIN):$$PATH" node --disable-warning=ExperimentalWarning
.DEFAULT_GOAL := help
.PHONY: help demo test test-lab lab soak check format format-check lint types tidy dead test-all link bench-rollout bench-lab bench-failover bench-release bench-balancer bench-agent bench-machine bench-cli bench-compare bundle dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What is installed stays, however it came there; what `./tandem` left out for use alone is added.
node_modules/.installed: package.json package-lock.json
	@if node packaging/installed.mjs 2>/dev/null; then :; \
	elif [ -e node_modules/.package-lock.json ]; then npm install --no-save --no-audit --no-fund --loglevel=error; \
	else npm ci --no-audit --no-fund --loglevel=error; fi
	@touch $@

demo: node_modules/.installed ## the tour: a pair, a rollout under load, a broken release reverted
	./tandem demo

test: node_modules/.installed ## unit, integration and whole-system tests; no root needed, under 3 minutes
	$(RUN) node_modules/vitest/vitest.mjs run

test-lab: node_modules/.installed ## tests on real machines, booted here by systemd-nspawn; root only
	TANDEM_LAB=1 $(RUN) node_modules/vitest/vitest.mjs run test/lab
	TANDEM_LAB=1 TANDEM_ALONE=1 $(RUN) node_modules/vitest/vitest.mjs run

lab: node_modules/.installed ## three machines to try Tandem on, booted here until Ctrl-C; root only
	@$(RUN) test/lab/foreground.ts

soak: node_modules/.installed ## the long random runs, an hour or two: seeds and counts at the end; as root on real machines too (TANDEM_SEED=N replays)
	@mkdir -p tmp; random=$$(mktemp tmp/random-XXXXXX); status=0; \
	if [ "$$(id -u)" = 0 ]; then export TANDEM_LAB=1; fi; export TANDEM_SOAK=1 TANDEM_LONG=1 TANDEM_RANDOM=$$random; \
	$(RUN) node_modules/vitest/vitest.mjs run $$(git grep -lE "randomRun\('" -- '*.test.ts') || status=1; \
	git log -1 --format='soak of %H'; sort $$random; rm -f $$random; exit $$status

check: format-check lint types tidy dead test-all ## exactly what CI runs

format: node_modules/.installed ## write the format
	$(BIN)/oxfmt .

format-check: node_modules/.installed
	$(BIN)/oxfmt --check .

lint: node_modules/.installed ## lint, with types
	$(BIN)/oxlint --deny-warnings

types: node_modules/.installed ## check types
	$(BIN)/tsc -p .

tidy: node_modules/.installed ## the tests of structure and language, and the largest files
	$(RUN) node_modules/vitest/vitest.mjs run src/tidy.test.ts src/language.test.ts --reporter=dot
	@git ls-files 'src/*.ts' | grep -v test.ts | xargs wc -l | sort -rn | sed -n '2,9p'

dead: node_modules/.installed ## dead code and unused dependencies
	$(BIN)/knip --no-progress

# What watches a clock runs by itself, afterwards; the last line is the sum of both.
test-all: node_modules/.installed
	@mkdir -p tmp; counts=$$(mktemp -u tmp/counts-XXXXXX); status=0; \
	if [ "$$(id -u)" = 0 ]; then export TANDEM_LAB=1; fi; export TANDEM_COUNTS=$$counts TANDEM_LONG=1; \
	$(RUN) node_modules/vitest/vitest.mjs run || status=1; \
	TANDEM_ALONE=1 $(RUN) node_modules/vitest/vitest.mjs run || status=1; \
	rm -f "$$counts"; exit $$status

bench-release: node_modules/.installed ## bytes and seconds of changing one file of 10,000
	$(RUN) bench/release.ts

bench-rollout: node_modules/.installed ## fixed cost of a rollout, phase by phase
	@$(RUN) bench/rollout.ts

bench-lab: node_modules/.installed ## a rollout's fixed cost, and throughput, on a pair of real machines; root only
	@$(RUN) bench/lab.ts

bench-failover: node_modules/.installed ## how long nothing answers at a virtual address, fault by fault, beside keepalived by hand; root only (RUNS=30)
	@$(RUN) bench/failover.ts

bench-agent: node_modules/.installed ## memory and idle CPU of an agent with ten instances
	@$(RUN) bench/agent.ts

bench-machine: node_modules/.installed ## memory and idle CPU of Tandem's parts on a real machine with 10 and 50 services; root only
	@$(RUN) bench/machine.ts

bench-cli: node_modules/.installed ## wall time of `tandem status`
	@$(RUN) bench/cli.ts

bundle: node_modules/.installed ## the program as it ships, in dist/tandem
	@$(RUN) packaging/bundle.ts

dist: node_modules/.installed ## what people install, in dist/: archive, Debian package, SBOM, checksums; ARCH="x64 arm64" for both
	@$(RUN) packaging/distribution.ts

link: ## put ./tandem on the PATH (~/.local/bin)
	mkdir -p $(HOME)/.local/bin && ln -sf $(CURDIR)/tandem $(HOME)/.local/bin/tandem

bench-balancer: node_modules/.installed ## CPU time per request of the embedded balancer beside plain node:http
	$(RUN) bench/balancer.ts

bench-compare: node_modules/.installed ## rollouts, both balancers: this checkout beside an earlier commit and its noise (OLD=COMMIT PAIRS=10 ONLY=rollout)
	@$(RUN) bench/compare.ts

clean: ## remove what was installed and made
	rm -rf node_modules tmp coverage .tandem dist

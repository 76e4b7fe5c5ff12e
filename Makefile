# `make` lists the targets. All packages are installed into node_modules; nothing is written outside the checkout.
SHELL := /bin/sh
BIN := node_modules/.bin
# Uses the Node that npm installed, if there is one. Looked up when a recipe runs, because a clean clone has none before.
# With the compile cache, workers and programs that tests start load the sources in a quarter of the time.
RUN = PATH="$(CURDIR)/$(BIN):$$PATH" NODE_COMPILE_CACHE="$(CURDIR)/node_modules/.cache/compile" node --disable-warning=ExperimentalWarning
.DEFAULT_GOAL := help
.PHONY: help house demo test test-lab lab soak check format format-check lint types tidy dead test-all defects link bench-rollout bench-growth bench-past bench-secrets bench-secrets-pair bench-lab bench-failover bench-release bench-balancer bench-agent bench-machine bench-numbers bench-web bench-cli bench-compare page web bundle dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Keeps the packages that are installed already, and adds the development packages that `./tandem` does not install.
node_modules/.installed: package.json package-lock.json
	@if node packaging/installed.mjs 2>/dev/null; then :; \
	elif [ -e node_modules/.package-lock.json ]; then npm install --no-save --no-audit --no-fund --loglevel=error; \
	else npm ci --no-audit --no-fund --loglevel=error; fi
	@touch $@

demo: node_modules/.installed ## show a tour: a pair, a rollout under load, the revert of a broken release
	./tandem demo

test: node_modules/.installed ## run unit, integration and whole-system tests; no root needed, about three minutes on two cores
	$(RUN) node_modules/vitest/vitest.mjs run

test-lab: node_modules/.installed ## run the tests on real machines, booted here by systemd-nspawn; root only
	TANDEM_LAB=1 $(RUN) node_modules/vitest/vitest.mjs run test/lab
	TANDEM_LAB=1 TANDEM_ALONE=1 $(RUN) node_modules/vitest/vitest.mjs run

lab: node_modules/.installed ## boot three machines to try Tandem on, until Ctrl-C; root only
	@$(RUN) test/lab/foreground.ts

soak: node_modules/.installed ## run the long random tests, an hour or two: prints seeds and counts; as root also on real machines (TANDEM_SEED=N replays)
	@mkdir -p tmp; random=$$(mktemp tmp/random-XXXXXX); status=0; \
	if [ "$$(id -u)" = 0 ]; then export TANDEM_LAB=1; fi; export TANDEM_SOAK=1 TANDEM_LONG=1 TANDEM_RANDOM=$$random; \
	files=$$(git grep -lE "randomRun\('|suite\.ts'" -- '*.test.ts'); \
	$(RUN) node_modules/vitest/vitest.mjs run $$files || status=1; \
	TANDEM_ALONE=1 $(RUN) node_modules/vitest/vitest.mjs run --passWithNoTests $$files || status=1; \
	git log -1 --format='soak of %H'; sort $$random; rm -f $$random; exit $$status

check: format-check lint types tidy dead test-all ## run exactly the checks of CI

format: node_modules/.installed ## format all files
	$(BIN)/oxfmt .

format-check: node_modules/.installed
	$(BIN)/oxfmt --check .

lint: node_modules/.installed ## run the linter, with types
	$(BIN)/oxlint --deny-warnings

types: node_modules/.installed ## check types
	$(BIN)/tsc -p .
	$(BIN)/tsc -p web

tidy: node_modules/.installed ## the tests of structure and language, and the largest files
	$(RUN) node_modules/vitest/vitest.mjs run src/tidy.test.ts src/language.test.ts web/tidy.test.ts --reporter=dot
	@git ls-files 'src/*.ts' | grep -v test.ts | xargs wc -l | sort -rn | sed -n '2,9p'

defects: node_modules/.installed ## seed each defect of test/defects in a worktree, and show which test in one process notices it
	$(RUN) test/defects/run.ts

dead: node_modules/.installed ## find dead code and unused dependencies
	$(BIN)/knip --no-progress

# Tests that measure time run alone, afterwards. The last line is the sum of both runs.
test-all: node_modules/.installed
	@mkdir -p tmp; counts=$$(mktemp -u tmp/counts-XXXXXX); status=0; \
	if [ "$$(id -u)" = 0 ]; then export TANDEM_LAB=1; fi; export TANDEM_COUNTS=$$counts TANDEM_LONG=1; \
	$(RUN) node_modules/vitest/vitest.mjs run || status=1; \
	TANDEM_ALONE=1 $(RUN) node_modules/vitest/vitest.mjs run || status=1; \
	rm -f "$$counts"; exit $$status

bench-release: node_modules/.installed ## measure bytes and seconds of a change of one file of 10,000
	$(RUN) bench/release.ts

bench-rollout: node_modules/.installed ## measure the fixed cost of a rollout, phase by phase
	@$(RUN) bench/rollout.ts

bench-growth: node_modules/.installed ## measure how start, memory, rollouts and status grow with events and services (EVENTS=0,100000,1000000 SERVICES=2,20,200)
	@$(RUN) bench/growth.ts

bench-secrets: node_modules/.installed ## measure secrets: a value beside a status, and the opening of the root key (SECRETS=10000)
	@$(RUN) bench/secrets.ts

bench-secrets-pair: node_modules/.installed ## measure, on a pair of machines, starts with secrets and a rotation (ROUNDS=12)
	@$(RUN) bench/secretsPair.ts

bench-past: node_modules/.installed ## measure a status of the past and searches for events in a long log (EVENTS=1000000)
	@$(RUN) bench/past.ts

bench-lab: node_modules/.installed ## measure the fixed cost of a rollout, and throughput, on a pair of real machines; root only
	@$(RUN) bench/lab.ts

bench-failover: node_modules/.installed ## measure the outage of a virtual address for each fault, compared with plain keepalived; root only (RUNS=30)
	@$(RUN) bench/failover.ts

bench-agent: node_modules/.installed ## measure memory and idle CPU of an agent with ten instances
	@$(RUN) bench/agent.ts

bench-machine: node_modules/.installed ## measure memory and idle CPU of Tandem's parts on a real machine with 10 and 50 services; root only
	@$(RUN) bench/machine.ts

house: node_modules/.installed ## count the files that each feature touches outside its own folders (VERBOSE=1 lists them)
	@$(RUN) bench/house.ts

bench-numbers: node_modules/.installed ## measure the CPU time of a reading of live numbers, in the agent and in HAProxy (SERVICES=50)
	@$(RUN) bench/numbers.ts

bench-names: node_modules/.installed ## measure a call by name, the rules of the firewall, and their change; root only (ROUNDS=9 SECONDS=2)
	@$(RUN) bench/names.ts

bench-web: node_modules/.installed ## measure the page: sizes, the first heading on a slow line, a busy overview, the controller with 20 readers (MINUTES=10)
	@$(RUN) bench/web.ts

bench-cli: node_modules/.installed ## measure the wall time of `tandem status`
	@$(RUN) bench/cli.ts

web: node_modules/.installed ## develop the page: Vite's server before a real controller over fake drivers (PORT=7490 SPEED=1)
	@$(RUN) test/web/development.ts

page: node_modules/.installed ## build the page into web/built, which the repository keeps
	@$(RUN) packaging/page.ts

pictures: node_modules/.installed ## take the pictures of README and docs again, of real pairs in Chromium; those of docs/on-call.md as root
	@$(RUN) test/pictures/take.ts
	@$(RUN) test/pictures/takeFaults.ts

bundle: node_modules/.installed ## build the program as it ships, in dist/tandem
	@$(RUN) packaging/bundle.ts

dist: node_modules/.installed ## build the archive, Debian package, SBOM and checksums in dist/; ARCH="x64 arm64" for both
	@$(RUN) packaging/distribution.ts

link: ## put ./tandem on the PATH (~/.local/bin)
	mkdir -p $(HOME)/.local/bin && ln -sf $(CURDIR)/tandem $(HOME)/.local/bin/tandem

bench-balancer: node_modules/.installed ## measure the CPU time per request of the embedded balancer, compared with plain node:http
	$(RUN) bench/balancer.ts

bench-compare: node_modules/.installed ## compare benchmarks with those of an earlier commit and its noise (OLD=COMMIT PAIRS=10 ONLY=rollout,cli)
	@$(RUN) bench/compare.ts

clean: ## remove installed packages and built files
	rm -rf node_modules tmp coverage .tandem dist

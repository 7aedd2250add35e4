# `make` lists the targets. What they need is in README.md.

GO       ?= go
TOOL      = $(GO) tool -modfile=tools/go.mod
PACKAGES ?= ./...
FUZZTIME ?= 20s
BENCH    ?= .
SOAK     ?= 20
MUTANTS  ?= 10m
FAILOVERS ?= 50
STORE    ?= bolt

# Debian installs servers there, and it is not on the PATH of ordinary users.
export PATH := $(PATH):/usr/sbin

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Run the issuer on this machine, creating everything it needs in ./data (STORE=postgres: on a PostgreSQL of its own)
	$(if $(filter-out bolt postgres,$(STORE)),$(error STORE is bolt or postgres))$(if $(filter postgres,$(STORE)),tools/postgres )bin/issuer serve --dev

.PHONY: build
build: ## Build bin/issuer
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/issuer ./cmd/issuer

.PHONY: test
test: ## Run every test with the race detector (CI=true or ISSUER_TEST_FULL=1 for all rounds)
	@mkdir -p bin && tools/need cc curl strace nginx haproxy postgres pgbouncer > bin/.skip
	$(GO) test -race -timeout 15m $$(cat bin/.skip) $(PACKAGES)
	@left_out=$$(tools/need node npm) || exit 1; if [ -z "$$left_out" ]; then $(MAKE) --no-print-directory test-betterauth test-typescript test-browser; fi
	@$(MAKE) --no-print-directory test-interop

# The primary of a database is killed FAILOVERS times under load, by hand and under Patroni.
.PHONY: test-failover
test-failover: ## Kill the primary under load again and again, also under Patroni (FAILOVERS=50 times)
	@tools/need cc postgres patroni etcd >/dev/null
	CRASHTEST_FAILOVERS=$(FAILOVERS) CRASHTEST_STRICT=1 $(GO) test -tags failover -v -count 1 -timeout 120m -run Failover ./internal/pgtest ./internal/crashtest

.PHONY: test-betterauth
test-betterauth: ## Drive the issuer with the better-auth client from npm (needs Node 20)
	cd internal/betterauth && npm ci --no-audit --no-fund --loglevel=error && npm test

.PHONY: test-browser
test-browser: ## Drive the pages and the SPA example in Chromium, or in $CHROMIUM (needs Node 20.19)
	@tools/need openssl $$([ -n "$${CHROMIUM:-}" ] || echo chromium) >/dev/null
	@if [ -n "$${CHROMIUM:-}" ] || command -v chromium >/dev/null; then \
	cd examples/spa && npm ci --no-audit --no-fund --loglevel=error && npm run check && \
	cd ../../internal/browser && npm ci --no-audit --no-fund --loglevel=error && npm test; fi

.PHONY: test-typescript
test-typescript: ## Test the TypeScript client against the real issuer (needs Node 20)
	@tools/need nginx varnishd >/dev/null
	cd clients/typescript && npm ci --no-audit --no-fund --loglevel=error && npm test

.PHONY: test-interop
test-interop: ## Test third-party verifiers against the running issuer
	@tools/need node npm python3 javac mvn ruby apache2 varnishd nginx >/dev/null
	$(GO) test -tags interop -v -count 1 -parallel 3 -timeout 10m ./internal/interop

.PHONY: lint
lint: licences ## Check style, likely faults, the module files and the licences
	$(TOOL) golangci-lint run
	$(GO) mod tidy -diff
	$(GO) mod verify

# Licences that allow linking into a program of any licence. MPL-2.0 covers only the library's own files.
LICENCES = MIT,BSD-2-Clause,BSD-3-Clause,Apache-2.0,ISC,MPL-2.0

.PHONY: licences
licences: ## Check the licences of all modules
	$(TOOL) go-licenses check ./... --ignore issuer.example --allowed_licenses=$(LICENCES)

.PHONY: fmt
fmt: ## Format the code
	$(TOOL) golangci-lint fmt

.PHONY: bench
bench: ## Run the benchmarks (BENCH=regexp)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $$($(GO) list $(PACKAGES) | grep -v '/bench$$')

.PHONY: bench-http
bench-http: ## Measure durable refreshes over HTTP, beside a bare Echo
	$(GO) test -run '^$$' -bench 'Refresh/$(BENCH)' -benchtime 1x -timeout 30m ./bench

# npm compiles SQLite where it finds no build to download, with the headers that came with Node.
.PHONY: bench-betterauth
bench-betterauth: ## Measure get-session, beside the original better-auth server (needs Node 20)
	cd bench/betterauth && npm_config_nodedir=$$(node -p 'path.resolve(process.execPath, "../..")') \
	  npm ci --no-audit --no-fund --loglevel=error
	$(GO) test -run '^$$' -bench GetSession -benchtime 1x -timeout 30m ./bench

.PHONY: timing
timing: ## Measure whether response times reveal what exists
	$(GO) test -run '^$$' -bench Enumeration -benchtime 1x -timeout 10m ./bench

.PHONY: bench-feed
bench-feed: ## Measure the revocation feed: idle streams, 100 guards under load, 1,000 after a restart
	$(GO) test -run '^$$' -bench Feed -benchtime 1x -timeout 30m ./bench

.PHONY: bench-postgres
bench-postgres: ## Measure issuers on PostgreSQL, beside pgbench on the same server (BENCH=regexp)
	@tools/need postgres >/dev/null
	$(GO) test -run '^$$' -bench 'Postgres$(BENCH)' -benchtime 1x -timeout 60m ./bench

.PHONY: fuzz
fuzz: ## Fuzz every parser of outside bytes (FUZZTIME=20s each)
	GO='$(GO)' tools/fuzz $(FUZZTIME) $(PACKAGES)

.PHONY: soak
soak: ## Run the tests of races and crashes over and over (SOAK=20 times)
	ISSUER_TEST_FULL=1 $(GO) test -race -timeout 0 -count $(SOAK) ./session ./keys ./store/... ./internal/e2e
	ISSUER_TEST_FULL=1 CRASHTEST_KILLS=$$((50 * $(SOAK))) $(GO) test -race -timeout 0 -count 1 -v ./internal/crashtest

.PHONY: mutants
mutants: ## Break the code in many small ways and list what no test notices (PACKAGES=./jwt MUTANTS=10m)
	$(GO) run ./internal/mutants -time $(MUTANTS) $(PACKAGES)

.PHONY: vuln
vuln: ## Look for known vulnerabilities (needs the network)
	$(TOOL) govulncheck $(PACKAGES)

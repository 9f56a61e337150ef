# Everything that is built, checked and measured here. `make` prints the targets.

SHELL       := /bin/bash -euo pipefail
GO          ?= go
NPM         ?= npm
RIG         := .rig
PLATFORMS   := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# Every module with code of ours; folders that begin with a dot are not ours.
MODULES     := $(sort $(patsubst %/,%,$(dir $(shell find . -name go.mod -not -path './.*/*' -not -path './tools/*'))))
GO_FILES     = $$(find . -name '*.go' -not -path './.*/*')
FUZZTIME    ?= 10s
# Runs a command in the folder of each module.
each         = for m in $(MODULES); do echo "== $$m: $(1)"; (cd "$$m" && $(1)); done

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build tooltrail for this machine, into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/...

.PHONY: test
test: check race bench-once cross ## everything that CI runs, from a fresh clone

.PHONY: check
check: ## gofmt, go vet on three systems, staticcheck
	@echo "== gofmt"; bad=$$(gofmt -l $(GO_FILES)); if [ -n "$$bad" ]; then echo "gofmt -w is needed for:" $$bad >&2; exit 1; fi
	@for os in linux darwin windows; do echo "== vet for $$os"; GOOS=$$os CGO_ENABLED=0 $(GO) vet ./...; done
	@$(call each,$(GO) vet ./...)
	@sc=$$($(GO) -C tools tool -n staticcheck); $(call each,"$$sc" ./...)

.PHONY: race
race: rig ## every test of every module, with the race detector
	@$(call each,$(GO) test -race -timeout 12m ./...)

.PHONY: bench-once
bench-once: ## every benchmark once, so that they compile and run
	@$(call each,$(GO) test -run '^$$' -bench . -benchtime 1x ./...)

.PHONY: cross
cross: ## build every binary for every platform
	@for p in $(PLATFORMS); do \
		echo "== build for $$p"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -o $(RIG)/dist/$${p/\//-}/ ./...; \
	done

.PHONY: bench
bench: ## measure, with peers in the same run, and print the README's table
	$(GO) -C bench run .

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: torture
torture: rig ## tests many times over, and end to end with a race-enabled binary
	$(GO) test -race -count 10 -cpu 1,2,4 -timeout 60m $$($(GO) list ./... | grep -v /e2e)
	TOOLTRAIL_KILL_ROUNDS=1000 TOOLTRAIL_POWER_ROUNDS=1000 $(GO) test -race -timeout 60m -run 'TestKillAtAnyMoment|TestPowerCut' ./seal ./trail
	GORACE=atexit_sleep_ms=0 TOOLTRAIL_E2E_RACE=1 $(GO) test -race -count 3 -timeout 60m ./e2e

# The rig: real MCP servers and clients for the tests. npm ci installs exactly
# what the lock file says, and no package gets to run a script.

.PHONY: rig
rig: $(RIG)/npm/.installed ## install the MCP servers and clients that tests run, into .rig/
	@cp internal/rig/npm/*.mjs $(RIG)/npm/
	@$(GO) -C internal/rig/goservers build -o $(CURDIR)/$(RIG)/bin/ ./...

$(RIG)/npm/.installed: internal/rig/npm/package.json internal/rig/npm/package-lock.json internal/rig/npm/.npmrc
	@mkdir -p $(RIG)/npm $(RIG)/bin
	@cp $^ $(RIG)/npm/
	@cd $(RIG)/npm && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: clean
clean: ## remove all that was built or installed
	rm -rf bin $(RIG)

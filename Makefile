# `make help` lists what there is to do. GNU Make 3.81 (macOS) is enough.
SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TAGS ?=
# For go test; in CI no result is taken from the cache. What counts millions is
# called TestLarge… and has a target of its own.
TESTFLAGS ?= -timeout 20m -skip '^TestLarge' $(if $(CI),-count=1)
# How long each fuzz target runs.
FUZZTIME ?= 10s
# For demo, dev, bench, soak and chaos: make chaos ARGS='-seed 7'.
ARGS ?=

# Debian keeps servers, smtp-sink among them, out of the PATH of users.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

# The version is part of the file's name: another one is installed at next use.
LINT := bin/golangci-lint-v2.15.0
DEADCODE := bin/deadcode-v0.52.0
AXE := bin/axe-core-4.14.1.js

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: dev
dev: ## Start everything on this machine, mails end in a catch-all, and stay up
	$(GO) run ./cmd/rohrpost dev $(ARGS)

.PHONY: demo
demo: ## Show the whole way of a few mails, then exit
	$(GO) run ./cmd/rohrpost demo $(ARGS)

.PHONY: build
build: ## Build bin/rohrpost, static, with its version
	CGO_ENABLED=0 $(GO) build -trimpath -tags '$(TAGS)' -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/rohrpost

# Without optimizations, which take half the time: what counts is that it compiles.
# In CI one of each system and of each architecture: a cold compile takes a minute.
TARGETS ?= $(if $(CI),linux/arm64 darwin/arm64 windows/amd64,linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64)

.PHONY: cross
cross: ## Compile the program for Linux, macOS and Windows on amd64 and arm64
	@set -e; export CGO_ENABLED=0; for target in $(TARGETS); do echo "compiling for $$target"; \
	  GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -gcflags 'all=-N -l' -o /dev/null ./cmd/rohrpost; done

.PHONY: packages
packages: # what the tests need besides Go
	@.ci/packages promtool:prometheus redis-server:redis-server smtp-sink:postfix nginx:nginx haproxy:haproxy \
	  chromium,chromium-browser,google-chrome,google-chrome-stable:chromium curl:curl php:php-cli /etc/mime.types:media-types \
	  openssl:openssl dkimverify:python3-dkim+python3-nacl

.PHONY: axe
axe: # what looks for barriers on the pages: npm has it
	@[ -e $(AXE) ] || .ci/axe $(AXE)

.PHONY: test
test: packages axe ## Install what the tests need, and run them
	$(GO) test -p 4 $(TESTFLAGS) ./test/... ./... # they wait more than they compute, the first ones most
	$(GO) test -C test/chaos $(TESTFLAGS) .
	$(GO) test -C examples/embedded $(TESTFLAGS) .
	$(GO) test -C test/browser -parallel 4 $(TESTFLAGS) .

.PHONY: test-large
test-large: packages ## What the race detector disturbs: a million entries, a hundred thousand accounts, memory, growth
	$(GO) test -count=1 -timeout 20m -run '^TestLarge|^TestMemoryIsKnown$$' -v ./errorlog ./resolver/redisstore ./internal/transport/compose
	$(GO) test -count=1 -run 'Linear$$' . ./errorlog ./resolver ./internal/failure ./internal/payload ./internal/plaintext ./internal/rawmail ./internal/web/dashboard ./internal/transport/...

.PHONY: race
race: packages axe ## The same with the race detector
	$(GO) test -race $(TESTFLAGS) ./...
	$(GO) test -C test/chaos -race $(TESTFLAGS) .
	$(GO) test -C examples/embedded $(TESTFLAGS) . # without the detector, for which SQLite compiles for minutes
	$(GO) test -C test/browser -parallel 4 $(TESTFLAGS) . # the program runs beside it, as people have it

.PHONY: docs-check
docs-check: packages ## Run the commands, load the settings and look up the names of README and docs
	$(GO) test -count=1 -v ./test/docs

.PHONY: e2e
e2e: packages ## The tests of the whole, against real servers
	$(GO) test -count=1 -v ./test/e2e/...

.PHONY: browser
browser: packages axe ## What people do on the pages, in Chromium: clicks, keyboard, barriers, widths, attacks
	$(GO) test -C test/browser -parallel 4 -count=1 -v . $(ARGS)

.PHONY: shots
shots: packages ## Take the pictures of docs/pages anew
	$(GO) test -C test/browser -count=1 -v -run '^TestShots$$' . -shots "$(CURDIR)/docs/pages"

.PHONY: attack
attack: packages ## What one tenant, recipient, server or visitor can do to the others, tried against the built program
	$(GO) test -count=1 -v ./test/attack $(ARGS)

.PHONY: chaos
chaos: packages ## 20,000 mails while workers, Redis, links and mail servers fail; -planted must find a bug
	$(GO) test -C test/chaos -count=1 -timeout 40m -v . -run '^TestStorm$$' -mails 20000 -storm 4m $(ARGS)

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME (10s) each; their seeds are part of test
	@set -e -o pipefail; $(GO) test -list '^Fuzz' ./... \
	  | awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { while (n > 0) print $$2, names[--n] }' \
	  | while read -r package name; do \
	      echo "$$package $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x "$$package" </dev/null; \
	    done

.PHONY: bench
bench: packages ## Measure the way of a mail, beside a bare pool and smtp-source; -before COMMIT compares
	$(GO) run ./bench $(ARGS)

.PHONY: soak
soak: packages ## Half an hour of mails through 100,000 accounts in turn: does memory stay flat?
	$(GO) run ./bench/soak $(ARGS)

.PHONY: pause
pause: packages ## How long nobody sends after a worker is killed, in five rounds
	E2E_FULL=1 $(GO) test -count=1 -timeout 20m -v -run '^TestPauseAfterKill$$' ./test/e2e $(ARGS)

.PHONY: bench-once
bench-once: # each benchmark runs a single time: it must work, its figure means nothing
	$(GO) test -short -run '^$$' -bench . -benchtime 1x ./...

.PHONY: lint
lint: $(LINT) $(DEADCODE) ## Ask the linters, and check the rules of the house that they do not know
	$(LINT) run
	cd test/chaos && ../../$(LINT) run --config ../../.golangci.yml
	cd test/browser && ../../$(LINT) run --config ../../.golangci.yml
	cd examples/embedded && ../../$(LINT) run --config ../../.golangci.yml
	@# An application that imports the producer must not get the worker with it.
	@! $(GO) list -deps ./producer/... | grep -E 'rohrpost/(worker|server|resolver|internal/(delivery|engine|transport|app|web))|wneessen/go-mail' \
	  || { echo 'producer links the packages above: an application must not get them'; exit 1; }
	@find . -name '*.go' -exec awk 'FNR == 401 { print FILENAME ": a file has at most 400 lines, one idea"; bad = 1 } END { exit bad }' {} +
	@# Who owns a key of Redis spells it; others ask.
	@grep -rnoE --include='*.go' --exclude='*_test.go' '"(rohrpost|asynq):[{]?[a-z]+' . | awk -F: '{ dir = $$1; sub("[^/]*$$", "", dir); key = $$3 ":" $$4; sub("[{]", "", key); \
	  if (key in owner && owner[key] != dir) { print $$1 ":" $$2 ": the keys " key "… are those of " owner[key]; bad = 1 } owner[key] = dir } END { exit bad }'
	@# What no command and no test reaches. Examples without output are compiled only.
	@set -e -o pipefail; dead=$$($(DEADCODE) -test ./... | sed '/_test\.go:.* func: Example/d'); \
	  if [ -n "$$dead" ]; then echo "$$dead"; exit 1; fi

.PHONY: fmt
fmt: $(LINT) ## Format the code, and go.mod
	$(LINT) fmt
	$(GO) mod tidy
	$(GO) mod tidy -C test/chaos
	$(GO) mod tidy -C test/browser
	$(GO) mod tidy -C examples/embedded

.PHONY: fmt-check
fmt-check: $(LINT) # says what fmt would change
	$(LINT) fmt --diff
	$(GO) mod tidy -diff
	$(GO) mod tidy -C test/chaos -diff
	$(GO) mod tidy -C test/browser -diff
	$(GO) mod tidy -C examples/embedded -diff

.PHONY: compose-check
compose-check: # docker-compose.yml, where there is something that reads it
	@if docker compose version >/dev/null 2>&1; then compose='docker compose'; \
	elif command -v docker-compose >/dev/null; then compose=docker-compose; \
	elif [ -n "$(CI)" ]; then echo 'docker compose is missing'; exit 1; \
	else echo 'docker compose is missing: docker-compose.yml is not checked'; exit 0; fi; \
	echo "$$compose config"; $$compose -f docker-compose.yml --profile dev config --quiet

.PHONY: ci
ci: fmt-check lint build cross compose-check race test-large bench-once ## Everything that must hold before a change is taken

.PHONY: tools
tools: $(LINT) $(DEADCODE)

$(LINT):
	$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

$(DEADCODE):
	$(call install,golang.org/x/tools/cmd/deadcode)

# The version is what stands behind the tool's name in the name of the target.
define install
@echo 'installing $(notdir $@)'
@rm -f bin/$(notdir $(1))-*
@GOBIN="$(CURDIR)/bin/new" $(GO) install $(1)@$(patsubst $(notdir $(1))-%,%,$(notdir $@))
@mv bin/new/$(notdir $(1)) $@
endef

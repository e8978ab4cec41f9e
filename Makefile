# Targets for people; `make help` lists them.

GO      ?= go
BIN     := bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION)

.DEFAULT_GOAL := build
.PHONY: build demo test unit e2e bench scale lint fuzz setup clean help

build: ## build bin/nomadlike
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/nomadlike .

demo: build ## run an example job on a dev agent, and look at it; Ctrl-C ends it
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/ ./examples/hello
	@scripts/demo

test: setup lint unit e2e ## set up what the tests need, and pass all of them

setup: ## install and start what the tests need
	@scripts/setup-test

unit: ## tests of the packages, with the race detector
	$(GO) test -race -timeout 15m $$($(GO) list ./... | grep -v /e2e)

e2e: build ## the real binary, with real drivers
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/ ./examples/hello ./e2e/worker
	$(GO) test -timeout 30m -count=1 ./e2e/...

bench: build ## benchmarks, those of the whole binary among them
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/ ./examples/hello ./e2e/worker
	$(GO) test -run '^$$' -bench . -benchtime 1x ./e2e/... ./plugins/executor/...
	$(GO) test -run '^$$' -bench . $$($(GO) list ./... | grep -v -e /e2e -e /plugins/executor)

SCALE ?= -nodes 5000 -allocs 100000 -idle
scale: build ## what a whole server can place, and what it costs; SCALE holds the options, docs/figures.md the figures
	$(GO) build -o $(BIN)/ ./e2e/scale
	$(BIN)/scale $(SCALE)

lint: ## formatting, vet and golangci-lint
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

clean: ## remove what was built
	rm -rf $(BIN)

help: ## this list
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

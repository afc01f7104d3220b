# make run   installs what is missing, builds, and runs the platform with demonstration data
# make test  installs what is missing, and runs every test
# The other targets are parts of these, or tools of those who work on it.

GO      ?= go
BIN     := bin/citizencloud
DATA    ?= .data
LISTEN  ?= 127.0.0.1:4000
SCALE   ?= demo
VERSION := $(shell git describe --tags --always 2>/dev/null || echo unversioned)
STAMPS  := .cache/setup

.PHONY: help setup run demo bench test build generate check lint clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

# --- what is missing on this machine, and npm packages; stamps, so once only

setup: $(STAMPS)/test $(STAMPS)/composition $(STAMPS)/screen $(STAMPS)/explorer

$(STAMPS)/%: setup.sh
	@mkdir -p $(@D)
	@./setup.sh $*
	@touch $@

$(STAMPS)/composition: package.json package-lock.json
	@mkdir -p $(@D)
	npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(STAMPS)/screen $(STAMPS)/explorer: $(STAMPS)/%: clients/%/package.json clients/%/package-lock.json
	@mkdir -p $(@D)
	cd clients/$* && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# --- the program, with the web clients inside

# What a web client is built from; its tests are not.
web = $(shell find clients/$(1) -type f -not -path "*/node_modules/*" -not -path "*/dist*" -not -path "*/test*" -not -path "*/browser/*" -not -name "*.test.*" -not -name "manifest.json" -not -name ".gitignore" 2>/dev/null)

clients/screen/dist/index.html: $(STAMPS)/screen $(call web,screen) schema/supergraph.graphql
	cd clients/screen && npm run --silent build -- --logLevel error
	@touch $@

clients/explorer/dist/index.html: $(STAMPS)/explorer $(call web,explorer)
	cd clients/explorer && npm run --silent build -- --logLevel error
	@touch $@

build: clients/screen/dist/index.html clients/explorer/dist/index.html
	$(GO) build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o $(BIN) ./server

# The built program, not `go run`: that one does not pass SIGTERM on.
run: $(STAMPS)/run build
	@exec $(BIN) serve --data $(DATA) --listen $(LISTEN) --scale $(SCALE) --mode development

# Walks the main job with plain HTTP, over one process and over five.
demo: $(STAMPS)/run build
	@$(BIN) demo

# Measures over the city's data, which is loaded once; BENCH="-scale demo" for a quick look.
bench: $(STAMPS)/run build
	@$(GO) run ./server/bench $(BENCH)

# --- tests

test: setup check build
	$(GO) vet ./...
	CI=true $(GO) test -race -timeout 20m ./...
	cd clients/screen && npm test --silent

# What is committed is what its sources give, and is formatted.
check: $(STAMPS)/composition $(STAMPS)/screen
	$(GO) tool generate -check
	@unformatted=$$(git ls-files '*.go' | xargs gofmt -l); \
		[ -z "$$unformatted" ] || { echo "not formatted by gofmt: $$unformatted" >&2; exit 1; }

# --- for those who work on it

generate: $(STAMPS)/composition $(STAMPS)/screen
	$(GO) tool generate

lint:
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

# The data folder stays: it is yours.
clean:
	rm -rf bin .cache clients/screen/dist clients/explorer/dist

# OpenDMP. `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Settings, each a variable on the command line: make run ADDR=127.0.0.1:9090
ADDR     ?= 127.0.0.1:8080
DATA     ?= ./var
FUZZTIME ?= 20s
# An offline vulnerability database, a folder or a .tgz: make check VULNDB=…
VULNDB   ?= $(wildcard ../shared/security/govulndb.tgz)

export CGO_ENABLED := 0

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/dmpd
	@go build -trimpath -o bin/dmpd ./cmd/dmpd

.PHONY: run
run: build ## start the sandbox on http://127.0.0.1:8080/fhir, with its people and records
	@bin/dmpd serve --sandbox --addr $(ADDR) --data $(DATA)

.PHONY: demo
demo: build ## tell the whole story in the terminal, on a server of its own; fails if a step is not as told
	@bin/dmpd demo

.PHONY: demo-tls
demo-tls: build ## tell how software connects: test certificates, tokens, an identity provider, all over TLS; fails likewise
	@bin/dmpd demo --tls

.PHONY: test
test: ## run all tests; with DMP_TEST_MONGODB_URI, those of the store and of the whole server on MongoDB too
	@go test -timeout 5m ./...
	@if [[ -n "$${DMP_TEST_MONGODB_URI:-}" ]]; then \
		echo "the whole server again, on MongoDB"; \
		OPENDMP_TEST_STORE="$$DMP_TEST_MONGODB_URI" go test -timeout 5m ./cmd/dmpd; \
	else \
		echo "NOT TESTED: MongoDB (set DMP_TEST_MONGODB_URI to a replica set)"; \
	fi

.PHONY: check
check: format vet static table fresh vuln ## gofmt, vet, staticcheck, table of imports, pages that are written, known vulnerabilities

.PHONY: regles
regles: ## write docs/regles.md, the rules as a jurist reads them, from the rules
	@go run ./policy/internal/genregles .

.PHONY: bench
bench: build ## load 1,000 patients × 10 documents over HTTP and measure, with the ceiling of the machine beside
	@bin/dmpd bench

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (20s)
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: format
format:
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt: $$out"; exit 1; fi

.PHONY: vet
vet:
	@go vet ./...

.PHONY: static
static:
	@go tool staticcheck ./...

.PHONY: table
table:
	@go test -count=1 -run 'Test(Imports|TableOfImports|TopFolders|EveryPackage|ParseUnverified|OnlyEmit|NoWayRound)' .

.PHONY: fresh
fresh:
	@go run ./policy/internal/genregles -check .

.PHONY: vuln
vuln:
	@.ci/vuln '$(VULNDB)'

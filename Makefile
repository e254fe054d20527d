# Node 26 comes from node_modules (the npm package `node`): the machine needs npm and any Node that runs it.
.DEFAULT_GOAL := help
.PHONY: help install run test check golden generate manifests image chart e2e envtest bench bench-cluster fuzz format clean
MAKEFLAGS += --no-print-directory --no-builtin-rules

NODE := node_modules/.bin/node
INSTALLED := node_modules/.installed
JEST := $(NODE) --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js
SECONDS ?= 60
ARGS ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[-a-z0-9]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

$(INSTALLED): package-lock.json
	@echo 'installing the pinned packages, once'
	@npm ci --loglevel=error --no-fund --no-audit
	@touch $@

install: $(INSTALLED) ## install the pinned packages, Node 26 among them

run: $(INSTALLED) ## serve examples/quickstart with small echo upstreams until Ctrl-C; ARGS='--http-port 9080'
	@exec $(NODE) tools/run-quickstart.ts $(ARGS)

test: $(INSTALLED) ## run every test; the last line is `N passed, N failed, N skipped`
	@$(NODE) tools/envtest.ts --if-possible
	@$(NODE) tools/test-all.ts $(ARGS)

check: $(INSTALLED) ## types, lint, format, generated files, layers, goldens
	@$(NODE) tools/check.ts $(ARGS)

golden: $(INSTALLED) ## rewrite what the golden cases expect; read the diff before you commit it
	@UPDATE_GOLDEN=1 $(JEST) test/golden/ $(ARGS)

generate: $(INSTALLED) ## rewrite generated files: CRDs, references, lint rules of the layers
	@$(NODE) tools/layers.ts
	@$(NODE) tools/generate.ts
	@$(NODE) tools/manifests/render.ts

manifests: $(INSTALLED) ## render manifests/ from the chart with Helm
	@$(NODE) tools/manifests/render.ts

image: ## build the image sallyport:dev with Docker; ARGS='--build-arg NODE_IMAGE=…'
	@docker build -t $${IMAGE:-sallyport:dev} $(ARGS) .

chart: $(INSTALLED) ## test the chart: rendering, schema, acceptance by a real API server
	@$(JEST) test/chart/ $(ARGS)

e2e: $(INSTALLED) ## install IMAGE with Helm into the cluster of KUBECONFIG and put it to use; see test/e2e/run.ts
	@$(NODE) test/e2e/run.ts $(ARGS)

envtest: $(INSTALLED) ## build kube-apiserver, etcd, kubectl and Helm for the cluster tests; needs Go
	@$(NODE) tools/envtest.ts

bench: $(INSTALLED) ## measure against nginx, HAProxy, Envoy and Go; ARGS='--only small-get --quick'
	@$(NODE) test/bench/run.ts $(ARGS)

bench-cluster: $(INSTALLED) ## measure changes to 10,000 Ingresses in a real API server; needs make envtest
	@$(NODE) test/bench/run.ts --cluster $(ARGS)

fuzz: $(INSTALLED) ## feed the codec with hostile bytes for SECONDS=60
	@$(NODE) test/fuzz/run.ts --seconds $(SECONDS) $(ARGS)

format: $(INSTALLED) ## write every file in the common format
	@node_modules/.bin/prettier --write --log-level=warn .

clean: ## remove what the other targets made
	@rm -rf node_modules .cache coverage

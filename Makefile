# Each target calls one script or go command; without make, run that.

.PHONY: help check test race bench generate

help: ## list the targets
	@sed -n 's/^\([a-z]*\): ## /  \1	/p' Makefile

check: ## format, vet, lint, other systems, generated files
	./scripts/check

test: ## install what the tests need, run them all, say what ran
	./scripts/test

race: ## run them all with the race detector
	go test -race -shuffle=on -timeout=30m ./...

bench: ## measure the brokers and the queue
	go test -run '^$$' -bench . -benchmem ./queue/...

generate: ## make the files that are made from others
	./scripts/generate

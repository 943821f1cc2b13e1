# Each target calls one script or go command; without make, run that.

.PHONY: help check test race mends bench layers million web-million screens deaths soak-workflow soak-batches soak-periodic soak-aggregate jaeger trace-picture generate

help: ## list the targets
	@sed -n 's/^\([a-z-]*\): ## /  \1	/p' Makefile

check: ## format, vet, lint, other systems, generated files
	./scripts/check

test: ## install what the tests need, run them all, say what ran
	./scripts/test

race: ## run them all with the race detector
	go test -race -shuffle=on -timeout=30m ./...

mends: ## see each test of docs/asynq.md's faults fail without what it tests, which takes a quarter of an hour
	go run ./internal/mends

bench: ## measure beside asynq and River, in about three minutes
	go -C peers run ./bench -short

layers: ## measure each layer on its own
	go test -run '^$$' -bench . -benchmem ./queue/...

million: ## measure a million tasks in each state on Redis, which takes a quarter of an hour
	go test -count=1 -tags soak -run TestAMillion -timeout 60m -v ./queue/redisbroker -figures $(CURDIR)/docs/million.md

web-million: ## measure the pages of the dashboard with a million tasks, which takes a quarter of an hour
	go test -count=1 -tags soak -run TestPagesOfAMillion -timeout 60m -v ./web -figures $(CURDIR)/docs/web-million.md

screens: ## take the pictures of the dashboard that the documents show
	./scripts/screens

deaths: ## play random workflows whose servers die until 30,000 steps are recorded, which takes some minutes
	go test -count=1 -run TestRandomRuns -timeout 30m ./workflow -random.steps 30000 -random.figures $(CURDIR)/docs/deaths.md

soak-workflow: ## kill workers of workflows for ten minutes on Redis and three on SQLite
	go test -count=1 -run TestKilledWorkersLoseNoRun -timeout 30m ./internal/soak -soak.redis 10m -soak.sqlite 3m -soak.figures $(CURDIR)/docs/soak-workflow.md

soak-batches: ## kill workers of a step that five hundred runs share, in some minutes
	go test -count=1 -run TestKilledWorkersRepeat -timeout 30m ./internal/soak -soak.runs 500 -soak.takes 300ms -soak.batches $(CURDIR)/docs/soak-batches.md

soak-periodic: ## kill schedulers for five minutes on Redis and five on SQLite
	go test -count=1 -run TestKilledSchedulersLoseNoTick -timeout 30m ./periodic -soak.redis 5m -soak.sqlite 5m -soak.every 15s -soak.figures $(CURDIR)/docs/soak-periodic.md

soak-aggregate: ## kill processes that run batches while a million tasks join 10,000 groups, on Redis and on SQLite, which takes ten minutes
	go test -count=1 -run TestKilledAggregatorsLoseNoTask -timeout 60m ./internal/soak -soak.tasks 1000000 -soak.groups 10000 -soak.aggregate $(CURDIR)/docs/soak-aggregate.md

generate: ## make the files that are made from others
	./scripts/generate

jaeger: ## build the real Jaeger, which takes some minutes once, and write what it says of the example's traces to docs/jaeger.md
	./scripts/jaeger

trace-picture: ## draw the spans of the example's order to docs/trace-order.svg
	go run ./internal/traceplot -title "An order in three processes" -out docs/trace-order.svg go run ./examples/tracing

package main

// mendsOfSchedulers are in how periodic entries are kept and their ticks enqueued.
var mendsOfSchedulers = []mend{
	{
		fault: 33,
		tests: []string{"TestBadEntriesAreRefusedWithAllThatIsWrong"},
		file:  "periodic/scheduler.go",
		old:   `if other := known[p.Name]; other != nil {`,
		new:   `if other := known[p.Name]; other != nil && other.source != p.source {`,
	},
	{
		fault: 34,
		tests: []string{"TestFiveSchedulersThatComeAndGo", "TestKilledSchedulersLoseNoTick"},
		file:  "periodic/record.go",
		old:   `If: version}`,
		new:   `If: broker.AnyVersion}`,
	},
	{
		fault: 34,
		tests: []string{"TestTicksOfAnOutageOfRedisAreEnqueuedAfterIt"},
		file:  "periodic/decide.go",
		old:   `m.now.Add(-p.Window-1)`,
		new:   `m.now.Add(-p.Window/60-1)`,
	},
}

package main

// mendsOfServer are in how a server leases tasks, runs them, and records what
// became of them.
var mendsOfServer = []mend{
	{
		fault: 1,
		tests: []string{"TestAnOutcomeIsKeptUntilTheBrokerHasTakenIt"},
		file:  "queue/pool.go",
		old:   outcomesAreKept,
		new:   outcomesAreDropped,
	},
	{
		fault: 3,
		tests: []string{"TestAHandlerWhoseLeaseIsLostIsTold"},
		file:  "queue/heartbeat.go",
		old:   `			s.roster.lose(attempts[i])`,
		new:   ``,
	},
	{
		fault: 19,
		tests: []string{"TestTasksOfOneIDInTwoQueuesKeepTheirLeases"},
		file:  "queue/heartbeat.go",
		old:   `		refs[i] = a.lease.Ref()`,
		new: `		refs[i] = a.lease.Ref()
		refs[i].Queue = refs[0].Queue`,
	},
	{
		fault: 21,
		tests: []string{"TestShutdownReleasesWhatDoesNotFinishToTheFrontAtNoCost"},
		file:  "queue/attempt.go",
		old: `!asksFor(err):
		a.settleAlone(released(a.lease))`,
		new: `!asksFor(err):
		a.abandoned = true`,
	},
	{
		fault: 21,
		tests: []string{"TestAFaultAtAnyCallLosesNothingAndRecordsNothingTwice"},
		file:  "queue/pool.go",
		old:   outcomesAreKept,
		new:   outcomesAreDropped,
	},
	{
		fault: 28,
		tests: []string{"TestFunctionsOfTheConfigMayPanic"},
		file:  "queue/callback.go",
		old:   `			if v := recover(); v != nil {`,
		new:   `			if v := error(nil); v != nil {`,
	},
	{
		fault: 28,
		tests: []string{"TestACallbackThatEndsItsGoroutineDoesNotEndTheServer"},
		file:  "queue/callback.go",
		old:   `	wg.Go(func() {`,
		new:   `	func(f func()) { f() }(func() {`,
	},
	{
		fault: 29,
		tests: []string{"TestAServerStartsOnce"},
		file:  "queue/server.go",
		old: `	case stateActive:
		return errRunning
`,
		new: ``,
	},
	{
		fault: 30,
		tests: []string{"TestAHandlerThatIgnoresItsEndIsReportedAndKeepsItsSlot"},
		file:  "queue/pool.go",
		old: `	if !a.stuck {
		p.busy--
	}`,
		new: `	p.busy--`,
	},
	{
		fault: 30,
		tests: []string{"TestAHandlerThatEndsBadlyHasFailed"},
		file:  "queue/attempt.go",
		old:   `	err := errGoexit`,
		new:   `	var err error`,
	},
	{
		fault: 36,
		tests: []string{"TestAPingThatHangsHoldsNothingUp"},
		file:  "queue/heartbeat.go",
		old: `	ctx, cancel := context.WithTimeout(ctx, beatInterval)
`,
		new: `	if err := s.broker.Ping(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, beatInterval)
`,
	},
	{
		fault: 37,
		tests: []string{"TestABadConfigIsRefusedWithEveryFault"},
		file:  "queue/config.go",
		old:   `		if d.value < 0 {`,
		new:   `		if false {`,
	},
	{
		fault: 38,
		tests: []string{"TestShutdownIsBoundByItsContext"},
		file:  "queue/server.go",
		old:   `context.WithTimeout(ctx, s.cfg.ShutdownTimeout)`,
		new:   `context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)`,
	},
	{
		fault: 38,
		tests: []string{"TestShutdownEndsEvenIfTheStorageIsGone"},
		file:  "queue/server.go",
		old:   `stopGrace+settleGrace)`,
		new:   `time.Hour)`,
	},
	{
		fault: 39,
		tests: []string{"TestAnIdleServerStartsATaskAtOnce"},
		file:  "queue/wakeup.go",
		old:   `		if slices.Contains(p.queues, w.Queue) && (to == nil || !to.room.Load()) {`,
		new:   `		if false {`,
	},
	{
		fault: 40,
		tests: []string{"TestATaskStartsInTheMillisecondInWhichItIsDue"},
		file:  "queue/wakeup.go",
		old:   `		d.server.timekeeper.tell(w)`,
		new:   ``,
	},
	{
		fault: 41,
		tests: []string{"TestOutcomesAndLeasesTravelTogether"},
		file:  "queue/pool.go",
		old: `		if !a.stuck {
			n++
		}`,
		new: `		_ = a`,
	},
	{
		fault: 42,
		tests: []string{"TestABeatThatHangsHoldsNothingUp"},
		file:  "queue/heartbeat.go",
		old:   `	interval := s.cfg.LeaseDuration * 3 / 10`,
		new: `	if err := s.broker.Beat(ctx, time.Now(), s.record()); err != nil {
		return time.Second, err
	}
	interval := s.cfg.LeaseDuration * 3 / 10`,
	},
	{
		fault: 43,
		tests: []string{"TestABrokerThatFailsIsAskedLessAndLessOften"},
		file:  "queue/pool.go",
		old:   `loop.Sleep(ctx, p.backoff.Next())`,
		new:   `loop.Sleep(ctx, p.backoff.Min)`,
	},
	{
		fault: 44,
		tests: []string{"TestPickingAllocatesNothing"},
		file:  "queue/fetch.go",
		old: `	p.shuffle()
`,
		new: `	p.shuffle()
	p.shares = make([]broker.Share, len(p.queues))
`,
	},
	{
		fault: 46,
		tests: []string{"TestTheRecordOfAServerHoldsOnlyTheBeginningOfAPayload"},
		file:  "queue/heartbeat.go",
		old:   `e.Payload[:min(len(e.Payload), broker.MaxWorkerPayload)]`,
		new:   `e.Payload`,
	},
	{
		fault: 49,
		tests: []string{"TestWhatAKilledWorkerRanIsTakenUpWithin15Seconds"},
		file:  "queue/config.go",
		old:   `defaultLeaseDuration       = 10 * time.Second`,
		new:   `defaultLeaseDuration       = 25 * time.Second`,
	},
	{
		fault: 50,
		tests: []string{"TestAnOutcomeIsKeptUntilTheBrokerHasTakenIt"},
		file:  "queue/pool.go",
		old:   outcomesAreKept,
		new:   outcomesAreDropped,
	},
	{
		fault: 50,
		tests: []string{"TestAsManyHandlersRunAsThereAreSlotsAndNoMore"},
		file:  "queue/pool.go",
		old: `	p.busy += len(leases)
`,
		new: ``,
	},
}

const outcomesAreKept = `		loop.Sleep(ctx, p.backoff.Next())
`

const outcomesAreDropped = outcomesAreKept + `		for _, a := range batch {
			p.close(a)
		}
		p.waiting = slices.Delete(p.waiting, 0, len(batch))
`

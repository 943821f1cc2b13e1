package main

// mendsOfClient are in what programs and operators call.
var mendsOfClient = []mend{
	{
		fault: 16,
		tests: []string{"TestNoResultIsTakenAfterTheContextEnded"},
		file:  "task/result.go",
		old:   `	if w.ctx.Err() != nil {`,
		new:   `	if false {`,
	},
	{
		fault: 18,
		tests: []string{"TestTheTextOfAnErrorIsStoredCutAndValid"},
		file:  "queue/settle.go",
		old:   `	text = strings.ToValidUTF8(text, "\uFFFD")`,
		new:   `	text = strings.Clone(text)`,
	},
	{
		fault: 23,
		tests: []string{"TestEnqueueManyTellsOfEachTaskWhatBecameOfIt"},
		file:  "queue/client.go",
		old:   `		c.insist(now, r, outcomes[i])`,
		new: `		outcomes[i] = nil
		c.insist(now, r, outcomes[i])`,
	},
	{
		fault: 24,
		tests: []string{"TestAUniqueTaskThatIsDueInAMomentIsTaken"},
		file:  "queue/unique.go",
		old:   `claim.TTL += min(s.ProcessAt.Sub(now), math.MaxInt64-u.For)`,
		new:   `claim.TTL = min(s.ProcessAt.Sub(now), math.MaxInt64-u.For)`,
	},
	{
		fault: 25,
		tests: []string{"TestATaskTimesOutToTheMillisecond"},
		file:  "task/settings.go",
		old:   `	whole := d.Truncate(time.Millisecond)`,
		new: `	if d >= 0 {
		return d.Truncate(time.Second)
	}
	whole := d.Truncate(time.Millisecond)`,
	},
	{
		fault: 31,
		tests: []string{"TestAnOptionIsReadBackFromWhatItPrints"},
		file:  "task/parse.go",
		old: `	"Group":     parser(strconv.Unquote, Group),
`,
		new: ``,
	},
	{
		fault: 31,
		tests: []string{"TestATextThatIsNoOptionIsRefusedAndNamed"},
		file:  "task/parse.go",
		old:   `if !ok || !closed || parse == nil {`,
		new:   `if !ok && !closed || parse == nil {`,
	},
	{
		fault: 32,
		tests: []string{"TestInspector"},
		file:  "queue/inspectorlist.go",
		old:   `max(q.Number-1, 0) * limit`,
		new:   `q.Number * limit`,
		only:  "/^model$",
	},
	{
		fault: 35,
		tests: []string{"TestResolveDoesNotTouchTheListsItIsGiven"},
		file:  "task/settings.go",
		old:   `	r := resolver{now: now,`,
		new: `	if len(lists) > 1 {
		lists[0] = append(lists[0], lists[1]...)
	}
	r := resolver{now: now,`,
	},
	{
		fault: 52,
		tests: []string{"TestMiddlewareWrapsWhenRegisteredNotForEachTask"},
		file:  "task/mux.go",
		old:   `return r.wrapped, typ[:n]`,
		new:   `return wrap(r.handler, m.middleware), typ[:n]`,
	},
	{
		fault: 54,
		tests: []string{"TestNames"},
		file:  "task/name.go",
		old:   `!nameByte[c] && !(joint && c == Joint)`,
		new:   `c == 0 && nameByte[c] && !(joint && c == Joint)`,
	},
}

package main

// mendsOfStorage are in what the brokers store, and how.
var mendsOfStorage = []mend{
	{
		fault: 2,
		tests: []string{
			"the lease after a recovery settles, the one before does not",
			"TestALeatWorkerThatWakesUpLateRecordsNothingOnRedis",
		},
		file: "queue/redisbroker/lua/lib/settle.lua",
		old:  `local ours = held[1] == s.token`,
		new:  `local ours = true`,
	},
	{
		fault: 3,
		tests: []string{"a lease that is not held is lost, and nothing changes"},
		file:  "queue/redisbroker/lua/lib/held.lua",
		old:   `if f.err or f[1] ~= token then return end`,
		new:   `if f.err then return end`,
	},
	{
		fault: 4,
		tests: []string{"TestALostCallTakesEffectOnce"},
		file:  "queue/redisbroker/lua/apply.lua",
		old:   `if before then return full(before) end`,
		new:   ``,
	},
	{
		fault: 5,
		tests: []string{"TestAnArchiveOfTenThousandIsTrimmed"},
		file:  "queue/redisbroker/lua/advance.lua",
		old:   `  for _, id in ipairs(redis.call("ZRANGE", archived, 0, oldest - 1)) do`,
		new: `  redis.call("ZREM", archived, unpack(redis.call("ZRANGE", archived, 0, excess - 1)))
  for _, id in ipairs(redis.call("ZRANGE", archived, 0, oldest - 1)) do`,
	},
	{
		fault: 6,
		tests: []string{"TestDamageIsOneChangesOutcome"},
		file:  "queue/redisbroker/lua/apply.lua",
		old:   `local ok, problem = pcall(check, changes[i])`,
		new:   `local ok, problem = true, nil`,
	},
	{
		fault: 7,
		tests: []string{"TestAnEntryThatCannotBeReadIsArchivedUnread"},
		file:  "queue/redisbroker/lua/lib/lease.lua",
		old:   `        parked[#parked + 1] = {queue, ids[i]}`,
		new:   `        redis.call("LPUSH", container(queue, "active"), ids[i])`,
	},
	{
		fault: 8,
		tests: []string{"a batch that is not extended goes back, to where it was"},
		file:  "queue/redisbroker/lua/advance.lua",
		old:   `      join_group(queue, members[i], group, members[i + 1])`,
		new:   `      later("ZADD", group_key(queue, group), now_s, members[i])`,
	},
	{
		fault: 8,
		tests: []string{"TestABatchOfAsynqsGoesBackNamed"},
		file:  "queue/redisbroker/lua/advance.lua",
		old:   `      join_group(queue, members[i], group, members[i + 1])`,
		new:   `      later("ZADD", group_key(queue, group), members[i + 1], members[i])`,
	},
	{
		fault: 9,
		tests: []string{"an entry that is run leaves its group for good"},
		file:  "queue/redisbroker/lua/lib/act.lua",
		old:   `"group", "pending_since"`,
		new:   `"pending_since"`,
	},
	{
		fault: 10,
		tests: []string{"all members are settled in one change, with what they were folded into"},
		file:  "queue/redisbroker/lua/apply.lua",
		old:   `      table.insert(problem, 1, i)`,
		new: `      for _, s in ipairs(changes[i].settle) do settle(s) end
      table.insert(problem, 1, i)`,
	},
	{
		fault: 11,
		tests: []string{"an entry of a group that is for later is scheduled, and joins its group when it is due"},
		file:  "queue/redisbroker/lua/advance.lua",
		old:   `  elseif f[4] then`,
		new:   `  elseif false then`,
	},
	{
		fault: 12,
		tests: []string{"done and completed free a claim"},
		file:  "queue/redisbroker/lua/lib/settle.lua",
		old:   `  if s.claim then free_claim(s.queue, s.id, s.claim, s.hold and "hold=" .. s.hold, archived) end`,
		new:   ``,
	},
	{
		fault: 12,
		tests: []string{"a refused change takes no claim"},
		file:  "queue/redisbroker/lua/lib/entry.lua",
		old: `
  registered(queue)
`,
		new: `
  registered(queue)
  if e.claim then take_claim(e.claim, e.id, e.ttl) end
`,
	},
	{
		fault: 12,
		tests: []string{
			"a removed queue has left no claim behind",
			"what an archive loses leaves no claim",
		},
		file: "queue/redisbroker/lua/lib/finish.lua",
		old: `  record(e.queue, e.id, "deleted")
  let_go(e)`,
		new: `  record(e.queue, e.id, "deleted")`,
	},
	{
		fault: 13,
		tests: []string{"TestNothingIsLeftOfTenThousandTasks"},
		file:  "queue/redisbroker/lua/advance.lua",
		old:   `      delete(e)`,
		new:   ``,
	},
	{
		fault: 14,
		tests: []string{"TestLeatsRemoveQueueLeavesNoKeyOfAQueueOfAsynqsOnRedis"},
		file:  "queue/redisbroker/lua/remove.lua",
		old:   `for i = 6, #ARGV do drop(ARGV[i]) end`,
		new:   ``,
	},
	{
		fault: 15,
		tests: []string{"five hundred entries are swept in one step"},
		file:  "queue/redisbroker/lua/sweep.lua",
		old:   `redis.call("LRANGE", source, -limit, -1)`,
		new:   `redis.call("LRANGE", source, 0, -1)`,
	},
	{
		fault: 16,
		tests: []string{"who does not hold the lease reports nothing"},
		file:  "queue/redisbroker/lua/report.lua",
		old:   `  if held then redis.call("HSET"`,
		new:   `  if true then redis.call("HSET"`,
	},
	{
		fault: 17,
		tests: []string{"TestAQueueThatAsynqDeletesMayBeUsedAgainOnRedis"},
		file:  "queue/redisbroker/lua/lib/entry.lua",
		old:   `    later("SADD", KEYS[1], queue)`,
		new:   ``,
	},
	{
		fault: 20,
		tests: []string{"TestTheClockIsCorrectedByTheServers"},
		file:  "queue/redisbroker/clock.go",
		old:   `		c.offset.Store(int64(offset))`,
		new:   ``,
	},
	{
		fault: 22,
		tests: []string{"TestADeadWorkersTaskIsRunWithin15SecondsAtNoCost"},
		file:  "queue/brokertest/model/advance.go",
		old:   `		e.crashed(now)`,
		new: `		e.crashed(now)
		e.Retried++`,
	},
	{
		fault: 25,
		tests: []string{"TestTimesAreKeptToTheMillisecond"},
		file:  "internal/wire/entry.go",
		old:   `	w.fraction("timeout", millis(e.Timeout))`,
		new:   ``,
	},
	{
		fault: 26,
		tests: []string{"TestInspector"},
		file:  "queue/redisbroker/lua/lib/replace.lua",
		old:   `  if not is_replaceable(e) then return state_fault(e, is_frozen(e)) end`,
		new:   ``,
		only:  "/./^a_task_that_is_begun_between_look_and_edit",
	},
	{
		fault: 26,
		tests: []string{"the version that is asked for must be there"},
		file:  "queue/redisbroker/lua/lib/replace.lua",
		old:   `    if version_of_entry(r.queue, r.id) ~= r.version then return {"CHANGED", r.queue, r.id} end`,
		new:   ``,
	},
	{
		fault: 27,
		tests: []string{"TestListeningOnAClosedClientIsAnError"},
		file:  "queue/redisbroker/listen.go",
		old:   `errors.Is(err, redis.ErrClosed), `,
		new:   ``,
	},
	{
		fault: 32,
		tests: []string{"a page begins at its offset and ends at its limit"},
		file:  "queue/redisbroker/lua/list.lua",
		old:   `    from = ahead + at + offset`,
		new:   `    from = ahead + at`,
	},
	{
		fault: 40,
		tests: []string{"nothing is early by a millisecond"},
		file:  "queue/redisbroker/lua/lib/time.lua",
		old:   `math.ceil(ms / 1000)`,
		new:   `math.floor(ms / 1000)`,
	},
	{
		fault: 40,
		tests: []string{"what becomes due goes to the back in order of its time, ties by id"},
		file:  "queue/redisbroker/lua/advance.lua",
		old:   `  table.sort(found, sooner)`,
		new:   `  table.sort(found, function(a, b) return before(a[1], b[1]) end)`,
	},
	{
		fault: 47,
		tests: []string{"at most as much is done as was asked for"},
		file:  "queue/redisbroker/lua/advance.lua",
		old:   `    if #found == left then break end`,
		new:   ``,
	},
	{
		fault: 47,
		tests: []string{"five hundred entries are swept in one step"},
		file:  "queue/redisbroker/lua/sweep.lua",
		old:   `redis.call("LRANGE", source, -limit, -1)`,
		new:   `redis.call("LRANGE", source, 0, -1)`,
	},
	{
		fault: 48,
		tests: []string{"two batches of a group share no entry"},
		file:  "queue/redisbroker/lua/gather.lua",
		old:   `    later("ZREM", waiting, id)`,
		new:   ``,
	},
	{
		fault: 51,
		tests: []string{"TestTheFiguresOfAllQueuesTakeAsManyTripsAsThoseOfOne"},
		file:  "queue/redisbroker/query.go",
		old:   `slices.Chunk(queues, countsAtOnce)`,
		new:   `slices.Chunk(queues, countsAtOnce/countsAtOnce)`,
	},
	{
		fault: 53,
		tests: []string{"TestAServerThatIsTooOldIsRefused"},
		file:  "queue/redisbroker/probe.go",
		old:   `olderThan(version, 6, 2)`,
		new:   `olderThan(version, 0, 0)`,
	},
	{
		fault: 54,
		tests: []string{"a queue comes into being with its first entry, not with a refused one"},
		file:  "queue/redisbroker/lua/lib/entry.lua",
		old: `
  registered(queue)
`,
		new: `
  redis.call("SADD", KEYS[1], queue)
`,
	},
	{
		fault: 55,
		tests: []string{"TestAURLSaysWhoAndWhere"},
		file:  "queue/redisbroker/url.go",
		old:   `user: u.User.Username()}`,
		new:   `user: ""}`,
	},
}

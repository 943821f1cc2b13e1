-- Reading entries.

-- when returns the time that an entry waits for: when it is due, or its lease
-- or its retention ends. It is 0 if it waits for none. The times of those that are
-- archived or in a group are when they came there, and a second result is when
-- the lease of the batch ends that has frozen an entry.
local function when(queue, id, state, group, token)
  if state == "pending" then return 0 end
  local set = container(queue, state == "active" and "lease" or state)
  if state == "aggregating" then set = group_key(queue, group or "") end
  local score = redis.call("ZSCORE", set, id)
  if state == "scheduled" or state == "retry" then return exact_due(queue, id, tonumber(score or 0)) end
  if score then return tonumber(score) * 1000 end
  if state ~= "aggregating" then return 0 end
  local batch = batch_of(queue, id, group, token)
  local ends = batch and redis.call("ZSCORE", container(queue, "leat:batches"), batch .. " " .. group)
  return 0, tonumber(ends or 0) * 1000
end

-- read returns an entry as {id, state, time, end of the batch, msg, words, home,
-- reads, crashes, exit, group, result, ending, cancel, progress, behind}, or
-- nothing if there is none. Times are text, in milliseconds; time may be known.
local function read(queue, id, time)
  local f = redis.pcall("HMGET", entry_key(queue, id), "state", "msg", "leat_ms", "leat_home", "leat_reads",
    "leat_crashes", "leat_exit", "group", "result", "leat_end", "leat_cancel", "leat_progress", "leat_behind", "leat_token",
    "leat_until")
  if f.err or not f[1] then return end
  local ends
  if not time then time, ends = when(queue, id, f[1], f[8], f[14]) end
  if f[10] and tonumber(f[15] or 0) * 1000 ~= time then f[10] = false end -- asynq has archived it anew
  local e = {id, f[1], string.format("%.0f", time), string.format("%.0f", ends or 0)}
  for i = 2, 13 do e[#e + 1] = f[i] end
  return e
end

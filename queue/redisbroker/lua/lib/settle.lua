-- Settling leases. A settlement has the fields
--   queue, id, token, to   and, where the outcome needs them,
--   at                     when it is due again, or its retention ends
--   failed                 whether it counts as a failure
--   msg, result, claim     what to store, and the key of the claim to free
local day = ARGV[3] -- "2030-03-17"
local stats_ttl = 90 * 24 * 60 * 60

local lease_scores = {} -- by queue and id, as they were before this script

-- read_lease_scores reads the ends of all leases that changes settle, with one
-- command for each queue.
local function read_lease_scores(changes)
  local ids, queues = {}, {}
  for _, c in ipairs(changes) do
    for _, s in ipairs(c.settle or nothing) do
      if not ids[s.queue] then
        ids[s.queue] = {}
        queues[#queues + 1] = s.queue
      end
      table.insert(ids[s.queue], s.id)
    end
  end
  for _, queue in ipairs(queues) do
    local all, scores = ids[queue], {}
    for i = 1, #all, 1000 do
      local last = math.min(i + 999, #all)
      local found = redis.pcall("ZMSCORE", base(queue) .. "lease", unpack(all, i, last))
      for j = i, last do scores[all[j]] = found[j - i + 1] end
    end
    lease_scores[queue] = scores
  end
end
table.insert(before_changes, read_lease_scores)

local goes_to = {completed = "completed", retry = "retry", archived = "archived", parked = "archived"}

-- check_settlement returns why s cannot be made, or nothing. The lease is held
-- if the token is that of the entry, and both the state and the lease's end are
-- those that were written with it: asynq's scripts leave our fields in place
-- when they take an entry over.
local function check_settlement(s)
  local queue = s.queue
  expect("ZCARD", container(queue, "lease"))
  expect("LLEN", container(queue, "active"))
  local held = redis.call("HMGET", entry_key(queue, s.id), "leat_token", "state", "leat_until")
  if held[1] ~= s.token or held[2] ~= "active" or held[3] ~= lease_scores[queue][s.id] then
    return {"LEASE_LOST", queue, s.id}
  end
  if s.claim then s.holds = redis.call("GET", s.claim) == s.id end
  if s.to == "released" then
    expect("LLEN", container(queue, "pending"))
  elseif s.to ~= "done" then
    expect("ZCARD", container(queue, goes_to[s.to]))
    expect("ZCARD", container(queue, "leat:due"))
  end
end

local processed, failed = {}, {} -- how much to add, by queue

local function count(counter, queue) counter[queue] = (counter[queue] or 0) + 1 end

-- keep stores what s says of its entry and moves it to a state.
local function keep(s, state)
  local key = entry_key(s.queue, s.id)
  redis.call("HDEL", key, "leat_token", "leat_until")
  redis.call("HSET", key, "state", state, "msg", s.msg, unpack(s.result and {"result", s.result} or nothing))
end

local function free_claim(s)
  if s.holds then redis.call("DEL", s.claim) end
end

local outcome = {}

function outcome.done(s)
  redis.call("UNLINK", entry_key(s.queue, s.id))
  free_claim(s)
  count(processed, s.queue)
end

function outcome.completed(s)
  keep(s, "completed")
  later("ZADD", container(s.queue, "completed"), seconds(s.at), s.id)
  free_claim(s)
  count(processed, s.queue)
end

function outcome.retry(s)
  keep(s, "retry")
  wait_until("retry", s.queue, s.id, s.at)
  if s.failed then
    count(processed, s.queue)
    count(failed, s.queue)
  end
end

function outcome.archived(s)
  keep(s, "archived")
  later("ZADD", container(s.queue, "archived"), now_s_up, s.id)
  count(processed, s.queue)
  count(failed, s.queue)
end

-- parked archives an entry that cannot be read. That is no outcome of it.
function outcome.parked(s)
  local key = entry_key(s.queue, s.id)
  redis.call("HDEL", key, "leat_token", "leat_until")
  redis.call("HSET", key, "state", "archived", "leat_end", "undecodable")
  later("ZADD", container(s.queue, "archived"), now_s_up, s.id)
end

function outcome.released(s)
  local key = entry_key(s.queue, s.id)
  redis.call("HDEL", key, "leat_token", "leat_until")
  redis.call("HSET", key, "state", "pending")
  later("RPUSH", container(s.queue, "pending"), s.id)
end

local function settle(s)
  redis.call("LREM", container(s.queue, "active"), -1, s.id) -- the oldest are at the tail
  later("ZREM", container(s.queue, "lease"), s.id)
  outcome[s.to](s)
end

-- add_to adds n to a counter. One that is full or no number begins anew.
local function add_to(key, n)
  local total = redis.pcall("INCRBY", key, n)
  if type(total) == "table" then
    redis.call("SET", key, n)
    total = n
  end
  return total
end

local function write_counts()
  for word, counter in pairs({processed = processed, failed = failed}) do
    for queue, n in pairs(counter) do
      local today = base(queue) .. word .. ":" .. day
      if add_to(today, n) == n then redis.call("EXPIRE", today, stats_ttl) end
      add_to(base(queue) .. word, n)
    end
  end
end
table.insert(after_changes, write_counts)

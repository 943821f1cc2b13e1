-- Claims. The key of one holds the id of its holder, and has a TTL if the claim
-- is asynq's. One that is held beyond the end of its holder is "<id> <ms>".
-- Beside it lies the id of the entry that waits behind it, if any.
local behind_retry = 15000

-- How much longer than it counts, in seconds, a claim is kept that is held beyond
-- the end of its holder.
local hold_slack = 5

local function until_start(words) return words and string.find(words, "claim=start", 1, true) end

local function behind_key(queue, claim)
  local begin = base(queue)
  return begin .. "leat:behind:" .. string.sub(claim, #begin + #"unique:" + 1)
end

-- is_parked tells whether an archived entry, of which leat_end and leat_until are
-- given, cannot be read. asynq may have run it since, and archived it anew.
local function is_parked(queue, id, ending, ends)
  return ending == "undecodable" and tonumber(ends) == tonumber(redis.call("ZSCORE", container(queue, "archived"), id))
end

-- holder_of returns the id of the entry that holds a claim now, or nothing. A
-- claim without TTL does not count if asynq has ended its holder, or, where it
-- is held until that starts, has started it. One that is parked has not ended.
local function holder_of(queue, claim)
  local held = redis.call("GET", claim)
  if not held then return end
  local id, till = string.match(held, "^(%S+) (%d+)$")
  if id then return tonumber(till) > now and id or nil end
  if redis.call("TTL", claim) >= 0 then return held end
  local f = fields_of(entry_key(queue, held), "state", "unique_key", "leat_ms", "leat_end", "leat_until")
  local ended = f[1] == "completed" or (f[1] == "archived" and not is_parked(queue, held, f[4], f[5]))
  if not f[1] or ended or f[2] ~= claim then return end
  local started = f[1] == "active" or f[1] == "retry"
  if started and until_start(f[3]) then return end
  return held
end

-- follower_of returns the id of the entry that waits behind a claim, or nothing.
local function follower_of(queue, claim)
  local id = redis.call("GET", behind_key(queue, claim))
  if id and fields_of(entry_key(queue, id), "leat_behind")[1] then return id end
end

-- claimed returns who keeps e from its claim, or nothing. It notes whether e
-- waits behind that one instead.
local function claimed(e)
  local holder = holder_of(e.queue, e.claim)
  if not holder or not e.behind then return holder end
  if redis.call("HGET", entry_key(e.queue, holder), "state") ~= "active" then return holder end
  holder = follower_of(e.queue, e.claim)
  e.waits = not holder
  return holder
end

local function take_claim(claim, id, ttl)
  if ttl and ttl > 0 then
    redis.call("SET", claim, id, "EX", ttl)
  else
    redis.call("SET", claim, id)
  end
end

-- step_out ends that an entry waits behind a claim.
local function step_out(queue, id, claim)
  local behind = behind_key(queue, claim)
  if redis.call("GET", behind) == id then redis.call("DEL", behind) end
  redis.call("HDEL", entry_key(queue, id), "leat_behind")
end

-- let_follow gives a claim that was freed to the entry that waits behind it.
-- asynq may have made that ready by itself, or started it. In a queue that is
-- damaged it waits on, and takes the claim when that has been mended.
local function let_follow(queue, claim)
  local id = follower_of(queue, claim)
  if id and not pcall(expect_queue, queue) then return end
  redis.call("DEL", behind_key(queue, claim))
  if not id then return end
  flush()
  redis.call("SET", claim, id)
  redis.call("HDEL", entry_key(queue, id), "leat_behind")
  if redis.call("ZREM", container(queue, "scheduled"), id) == 1 then
    redis.call("ZREM", container(queue, "leat:due"), id)
    make_ready(queue, id)
  end
end

-- free_claim frees the claim of an entry that has ended, or started, unless it is
-- to be held until later, or is asynq's and archived.
local function free_claim(queue, id, claim, words, archived)
  local held = redis.pcall("GET", claim)
  if type(held) ~= "string" or string.match(held, "^%S+") ~= id then return end
  if archived and held == id and redis.call("TTL", claim) >= 0 then return end
  local till = words and tonumber(string.match(words, "hold=(%d+)") or 0) or 0
  if till > now then
    redis.call("SET", claim, id .. " " .. string.format("%.0f", till), "EX", seconds(till - now) + hold_slack)
    return
  end
  redis.call("DEL", claim)
  let_follow(queue, claim)
end

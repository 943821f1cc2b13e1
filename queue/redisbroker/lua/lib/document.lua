-- Documents lie in one hash for each home: "v:<key>" is a version, "d:<key>" a
-- body, and "version" the version that was given last.

local function version_of(run, key)
  return tonumber(redis.call("HGET", run, "v:" .. key) or 0)
end

-- conflict says that a document of another version was expected.
local function conflict(run, key)
  local d = redis.call("HMGET", run, "v:" .. key, "d:" .. key)
  return {"CONFLICT", key, d[1] or "0", d[2] or "", run}
end

local any_version = -1

-- check_documents returns why c's documents are not as it expects, or nothing.
local function check_documents(c)
  local run = run_key(c.home)
  for _, r in ipairs(c.require or nothing) do
    if version_of(run, r.key) ~= r.version then return conflict(run, r.key) end
  end
  for _, p in ipairs(c.put or nothing) do
    if p.at ~= any_version and version_of(run, p.key) ~= p.at then return conflict(run, p.key) end
  end
end

local function put(home, documents)
  local run = run_key(home)
  local version = redis.call("HINCRBY", run, "version", #documents) - #documents
  for i, p in ipairs(documents) do
    redis.call("HSET", run, "v:" .. p.key, version + i, "d:" .. p.key, p.body)
  end
end

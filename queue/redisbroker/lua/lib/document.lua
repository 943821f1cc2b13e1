-- Documents lie in one hash for each home: "v:<key>" is a version, "d:<key>" a
-- body, "version" the version that was given last, and "size" how many bytes all
-- bodies have.

-- conflict says that a document of another version was expected.
local function conflict(run, key)
  local d = redis.call("HMGET", run, "v:" .. key, "d:" .. key)
  return {"CONFLICT", key, d[1] or "0", d[2] or "", run}
end

local any_version = -1

-- versions_in returns the version that was given last, how many bytes all bodies
-- have, and the versions of the documents that c requires, and then puts.
local function versions_in(run, c)
  local fields = {"version", "size"}
  for _, r in ipairs(c.require or nothing) do fields[#fields + 1] = "v:" .. r.key end
  for _, p in ipairs(c.put or nothing) do fields[#fields + 1] = "v:" .. p.key end
  local versions = values_of(run, fields)
  for i = 1, #fields do versions[i] = tonumber(versions[i] or 0) end
  return versions
end

-- check_documents returns why c's documents are not as it expects, or nothing. It
-- notes in c what its home is to have, and raises an error if that is damaged.
local function check_documents(c)
  if not (c.require or c.put or c.drain or c.list) then return end
  local run = run_key(c.home)
  local versions, at = versions_in(run, c), 2
  for _, r in ipairs(c.require or nothing) do
    at = at + 1
    if versions[at] ~= r.version then return conflict(run, r.key) end
  end
  c.version, c.size = versions[1], versions[2]
  for _, p in ipairs(c.put or nothing) do
    at = at + 1
    if p.at ~= any_version and versions[at] ~= p.at then return conflict(run, p.key) end
    c.size = c.size + #p.body
    if versions[at] > 0 then c.size = c.size - redis.call("HSTRLEN", run, "d:" .. p.key) end
  end
  if c.put and c.quota and c.size > c.quota then return {"QUOTA", string.format("%.0f", c.size), string.format("%.0f", c.quota)} end
end

-- put writes the documents of c, which has passed check_documents.
local function put(c)
  local fields = {"version", c.version + #c.put, "size", c.size}
  for i, p in ipairs(c.put) do
    local n = #fields
    fields[n + 1], fields[n + 2] = "v:" .. p.key, c.version + i
    fields[n + 3], fields[n + 4] = "d:" .. p.key, p.body
  end
  send("HSET", run_key(c.home), fields, #fields)
end

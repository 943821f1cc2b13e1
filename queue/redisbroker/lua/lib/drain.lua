-- Drains: the entries that are enqueued once nothing of a home is open. A home has
-- one at most, in MessagePack, beside its documents.

function homes.await_drain(home, entries)
  redis.call("HSET", run_key(home), "drain", cmsgpack.pack(entries))
  homes.touch(words_of(home))
end

-- drain does the drain of a home, if it has one. It cannot fail: what cannot be
-- enqueued is not.
local function drain(h)
  local run = run_key(h)
  local packed = redis.pcall("HGET", run, "drain")
  if type(packed) ~= "string" then return end
  redis.call("HDEL", run, "drain")
  local ok, entries = pcall(cmsgpack.unpack, packed)
  for _, e in ipairs(ok and entries or nothing) do add_if_possible(e) end
end

-- homes.drain does what is to be done once nothing is open, of all homes that have
-- come to that, in order of their queues and ids.
function homes.drain()
  local touched = homes.touched
  if #touched == 0 then return end
  homes.touched = {}
  table.sort(touched, function(a, b) return before(a.words, b.words) end)
  for _, h in ipairs(touched) do
    h.is_touched = false
    if homes.is_empty(h) then drain(h) end
  end
end
table.insert(after_change, homes.drain)

-- homes.flush does this at the end of a call that makes no changes.
function homes.flush()
  homes.drain()
  homes.write()
  flush()
end

-- Remedies for homes that lie beside the queue.

-- open has an entry be named as open of a home exactly if it is. What has waited for its
-- end is done.
function remedies.open(id, entry)
  local words = queue .. " " .. id
  local of, name = string.match(entry, "^(%S+) (%S+)$")
  local f = redis.call("HMGET", entry_key(of, name), "leat_home", "state", "leat_end", "leat_until")
  local ended = f[2] == "completed" or f[2] == "archived" and not is_parked(of, name, f[3], f[4])
  local is_open = f[1] == words and not ended
  if is_open == homes.is_named(words, of, name) then return end
  do_later(function()
    if is_open then homes.begins(words, of, name) else homes.ends(words, of, name) end
  end)
  return is_open and "named as open" or "not named any more"
end

-- drain does the drain of a home of which nothing is open.
function remedies.drain(id)
  local words = queue .. " " .. id
  local h = home_in(words)
  if not redis.call("HGET", run_key(h), "drain") or redis.call("EXISTS", open_key(h)) == 1 then return end
  do_later(function() homes.touch(words) end)
  return "drained"
end

-- size has a home say how large its documents are, unless one lacks its body.
function remedies.size(id)
  local run = run_key({queue, id})
  local fields, size, lacking = redis.call("HGETALL", run), 0, 0
  for i = 1, #fields, 2 do
    local kind = string.sub(fields[i], 1, 2)
    if kind == "v:" then lacking = lacking + 1 end
    if kind == "d:" then size, lacking = size + #fields[i + 1], lacking - 1 end
  end
  if #fields == 0 or lacking ~= 0 or tonumber(redis.call("HGET", run, "size") or "0") == size then return end
  write("HSET", run, "size", string.format("%.0f", size))
  return "counted anew"
end

-- listed has a home be listed with a term exactly if it notes that, at the time at which
-- it is listed among all. Of all, the term is "".
function remedies.listed(id, term)
  local set = term ~= "" and term or nil
  local wanted, notes = false, redis.call("HGET", run_key({queue, id}), "list")
  if notes then
    wanted = not set
    for _, t in ipairs(cmsgpack.unpack(notes)) do wanted = wanted or t == set end
  end
  local key = base(queue) .. "leat:listed" .. (set and ":" .. set or "")
  local at, is_at = redis.call("ZSCORE", base(queue) .. "leat:listed", id), redis.call("ZSCORE", key, id)
  if not wanted and is_at then
    write("ZREM", key, id)
    return "not listed any more"
  elseif wanted and at and at ~= is_at then
    write("ZADD", key, at, id)
    return "listed"
  end
end

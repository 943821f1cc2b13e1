-- Reading fields of hashes that may be damaged.

-- fields_of returns fields of a hash: none of what is no hash.
local function fields_of(key, ...)
  local f = redis.pcall("HMGET", key, ...)
  return f.err and nothing or f
end

-- values_of returns the values of fields of a hash, asking for a thousand at a
-- time. It raises an error if there is no hash.
local function values_of(key, fields)
  local all = {}
  for i = 1, #fields, 1000 do
    local some = redis.call("HMGET", key, unpack(fields, i, math.min(i + 999, #fields)))
    for j = 1, #some do all[i + j - 1] = some[j] end
  end
  return all
end

-- Reading fields of hashes that may be damaged.

-- fields_of returns fields of a hash: none of what is no hash.
local function fields_of(key, ...)
  local f = redis.pcall("HMGET", key, ...)
  return f.err and nothing or f
end

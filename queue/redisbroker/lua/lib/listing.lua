-- What homes are found by: of a queue a sorted set of all homes that are listed
-- beside it, and one for each term, of those that have it, with the time of their
-- listing in ms. A home notes its terms, in MessagePack, beside its documents.

function homes.listed_key(queue, term)
  return base(queue) .. "leat:listed" .. (term and ":" .. term or "")
end

-- forget_terms takes a home out of the sets of its terms, except those in but.
local function forget_terms(home, but)
  local noted = redis.call("HGET", run_key(home), "list")
  if not noted then return false end
  for _, term in ipairs(cmsgpack.unpack(noted)) do
    if not but[term] then redis.pcall("ZREM", homes.listed_key(home[1], term), home[2]) end
  end
  return true
end

-- homes.unlist has a home be found by nothing.
function homes.unlist(home)
  if forget_terms(home, nothing) then redis.pcall("ZREM", homes.listed_key(home[1]), home[2]) end
end

function homes.expect_lists(home, l)
  expect("ZCARD", homes.listed_key(home[1]))
  for _, term in ipairs(l.terms) do expect("ZCARD", homes.listed_key(home[1], term)) end
end

function homes.list(home, l)
  local terms = {}
  for _, term in ipairs(l.terms) do terms[term] = true end
  forget_terms(home, terms)
  redis.call("HSET", run_key(home), "list", cmsgpack.pack(l.terms))
  redis.call("ZADD", homes.listed_key(home[1]), l.at, home[2])
  for _, term in ipairs(l.terms) do redis.call("ZADD", homes.listed_key(home[1], term), l.at, home[2]) end
end

-- Reading the entries of a batch.

-- member returns what a batch says of its entry, {msg, words, home, reads, crashes,
-- exit, group}.
local function member(queue, id)
  return redis.call("HMGET", entry_key(queue, id), "msg", "leat_ms", "leat_home", "leat_reads",
    "leat_crashes", "leat_exit", "group")
end

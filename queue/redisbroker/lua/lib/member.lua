-- Reading the entries of a batch.

-- member returns what a batch says of its entry, {msg, words, home, reads, crashes,
-- false, group}, and its state, whether it is to be cancelled, the key of its claim,
-- which lease of it was lost, and when it joined its group.
local function member(queue, id)
  local f = fields_of(entry_key(queue, id), "msg", "leat_ms", "leat_home", "leat_reads",
    "leat_crashes", "group", "state", "leat_cancel", "unique_key", "leat_lost", "leat_joined")
  return {f[1], f[2], f[3], f[4], f[5], false, f[6]}, f[7], f[8], f[9], f[10], f[11]
end

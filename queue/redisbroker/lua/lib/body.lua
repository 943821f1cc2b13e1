-- Answers with bodies, of leases and of documents, are kept without them, and get
-- those that are there when they are asked for again.

-- short takes the beginning of the tokens that the leases have, too: that of the
-- i-th is stem and i.
function short(answer, stem)
  if not answer[2] then return answer end
  local said = {}
  for i, r in ipairs(answer[2]) do
    said[i] = r[2] == "CONFLICT" and {r[1], r[2], r[3], run = r[6]} or r
  end
  return {answer[1], said, held, answer[4], answer[5], answer[6], stem}
end

-- full has no message for a lease that is gone.
function full(kept)
  if not kept[2] then return kept end
  local refused = {}
  for i, r in ipairs(kept[2]) do
    refused[i] = r
    if r.run then
      local now_there = conflict(r.run, r[3])
      refused[i] = {r[1], r[2], r[3], now_there[3], now_there[4]}
    end
  end
  for i = 1, #kept[3], 2 do
    local queue, id = kept[3][i], kept[3][i + 1]
    local msg, rest = body_of(queue, id, kept[7] .. (granted + 1))
    add_lease(queue, id, msg or false, rest or false)
  end
  return {kept[1], refused, leases, kept[4], kept[5], kept[6]}
end

-- What scripts need of messages, whose fields are a tag and a number, or a tag, a
-- length and so many bytes.

-- varint returns the number that begins at a place in msg, and where it has ended.
local function varint(msg, at)
  local n, unit, seven = 0, 1
  repeat
    seven = string.byte(msg, at) or 0
    n, unit, at = n + seven % 128 * unit, unit * 128, at + 1
  until seven < 128
  return n, at
end

-- headers_tag is that of each of the headers, and fixed are the sizes of those kinds
-- of fields which no message has yet.
local headers_tag, fixed = 122, {[1] = 8, [5] = 4}

-- with_headers returns msg with other headers, which are encoded.
local function with_headers(msg, headers)
  local fields, at = {}, 1
  while at <= #msg do
    local from, tag, n = at, nil, nil
    tag, at = varint(msg, at)
    if fixed[tag % 8] then
      at = at + fixed[tag % 8]
    else
      n, at = varint(msg, at)
      if tag % 8 == 2 then at = at + n end
    end
    if tag ~= headers_tag then fields[#fields + 1] = string.sub(msg, from, at - 1) end
  end
  fields[#fields + 1] = headers
  return table.concat(fields)
end

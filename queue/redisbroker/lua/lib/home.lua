-- Names of the keys of homes.
--
-- A home is {queue, id}, or in words "<queue> <id>". No name contains a space or a bar.
-- What is done to homes, in the builds that have the pieces for it.
local homes = {}

local function home_in(words)
  local queue, id = string.match(words, "^(%S+) (%S+)$")
  return {queue, id}
end

local function words_of(home) return home[1] .. " " .. home[2] end

local function run_key(home) return base(home[1]) .. "leat:run:" .. home[2] end
local function open_key(home) return base(home[1]) .. "leat:open:" .. home[2] end
local function latches_key(home) return base(home[1]) .. "leat:latches:" .. home[2] end
local function latch_key(kind, home, id) return base(home[1]) .. "leat:" .. kind .. ":" .. home[2] .. "|" .. id end

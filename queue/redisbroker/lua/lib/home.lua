-- Names of the keys of homes.
--
-- A home is {queue, id}. No name contains a bar.
local function run_key(home) return base(home[1]) .. "leat:run:" .. home[2] end
local function latches_key(home) return base(home[1]) .. "leat:latches:" .. home[2] end
local function latch_key(kind, home, id) return base(home[1]) .. "leat:" .. kind .. ":" .. home[2] .. "|" .. id end

/**
 * HAProxy has no feature to hold a request until a server is there, but a few lines of Lua can. `holds` is the path of
 * the map, `limit` the number of requests held at once.
 */
export function holdScript(holds: string, limit: number): string {
  return `-- Written by Tandem. Holds requests and connections while their backend has no server and the map lists the backend.
local limit = ${limit}
local holds = Map.new(${JSON.stringify(holds)}, Map._str)
-- The end time of each hold: a request whose client has gone is never resumed, and must not count for ever.
local held, last = {}, 0

local function now()
  local time = core.now()
  return time.sec + time.usec / 1000000
end

local function count()
  local sum, of, at = 0, {}, now()
  for id, one in pairs(held) do
    if one.over < at then
      held[id] = nil
    else
      sum = sum + 1
      of[one.name] = (of[one.name] or 0) + 1
    end
  end
  return sum, of
end

local function hold(txn)
  local name = txn.f:be_name()
  if name == nil or holds:lookup(name) == nil then name = txn:get_var("txn.backend") end
  local ms = name and tonumber(holds:lookup(name) or "")
  if ms == nil or count() >= limit then return end
  last = last + 1
  local id, over, step = last, now() + ms / 1000, 5
  while txn.f:nbsrv(name) == 0 and txn:get_var("proc.retired") ~= 1 and now() < over and holds:lookup(name) do
    held[id] = { over = now() + 0.2, name = name }
    core.msleep(step)
    if step < 40 then step = step + 5 end
  end
  held[id] = nil
end

core.register_action("hold", { "http-req", "tcp-req" }, hold)
-- An old worker hands later requests on kept-alive connections to the new worker.
core.register_cli({ "tandem", "retire" }, "tandem retire: hand over to the new worker", function(applet)
  applet:set_var("proc.retired", 1)
  applet:send("retired\\n")
end)
-- A virtual address is about to move: kept-alive connections would break.
core.register_cli({ "tandem", "goodbye" }, "tandem goodbye: end every client connection with its next answer", function(applet)
  applet:set_var("proc.goodbye", 1)
  applet:send("goodbye\\n")
end)
core.register_cli({ "tandem", "stay" }, "tandem stay: keep connections alive again", function(applet)
  applet:set_var("proc.goodbye", 0)
  applet:send("stay\\n")
end)
core.register_cli({ "tandem", "held" }, "tandem held: requests and connections held now, then by backend", function(applet)
  local sum, of = count()
  local lines = tostring(sum) .. "\\n"
  for name, number in pairs(of) do lines = lines .. name .. " " .. number .. "\\n" end
  applet:send(lines)
end)
`
}

/** HAProxy cannot hold a request until a server is there: a few lines of Lua can. `holds` is the map's path, `limit` how many at once. */
export function holdScript(holds: string, limit: number): string {
  return `-- Written by Tandem. Holds requests and connections while their backend has no server and the map says so.
local limit = ${limit}
local holds = Map.new(${JSON.stringify(holds)}, Map._str)
local held = 0

local function hold(txn)
  local name = txn.f:be_name()
  if name == nil or name == "" or holds:lookup(name) == nil then name = txn:get_var("txn.backend") end
  if name == nil or held >= limit then return end
  held = held + 1
  local waited, step = 0, 5
  while txn.f:nbsrv(name) == 0 and txn:get_var("proc.retired") ~= 1 do
    local ms = holds:lookup(name)
    if ms == nil or waited >= tonumber(ms) then break end
    core.msleep(step)
    waited = waited + step
    if step < 40 then step = step + 5 end
  end
  held = held - 1
end

core.register_action("hold", { "http-req", "tcp-req" }, hold)
-- An old worker hands what still comes in on kept-alive connections to the new one.
core.register_cli({ "tandem", "retire" }, "tandem retire: hand over to the new worker", function(applet)
  applet:set_var("proc.retired", 1)
  applet:send("retired\\n")
end)
core.register_cli({ "tandem", "held" }, "tandem held: requests and connections held now", function(applet)
  applet:send(tostring(held) .. "\\n")
end)
`
}

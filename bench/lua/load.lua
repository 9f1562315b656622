-- What the bench asks of wrk. Without arguments the same request goes out again and again, as wrk itself does it.
-- With `<method> <first number> <body>` every request has a body of its own: {n} in it becomes a number of 12 digits.
-- With `<method> <first number> "" <path>` it has a path of its own and no body: {n} in it becomes a number without zeros before it.

function initPaths(method, first, path)
  local before, after = path:match("^(.-){n}(.*)$")
  local head = method .. " " .. before
  local tail = after .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\nContent-Length: 0\r\n\r\n"
  local number = first
  request = function()
    number = number + 1
    return head .. number .. tail
  end
end

function init(args)
  local method, first, body = args[1], tonumber(args[2]), args[3]
  if method == nil then return end
  if args[4] ~= nil then return initPaths(method, first, args[4]) end
  local before, after = body:match("^(.-){n}(.*)$")
  local length = #before + 12 + #after
  local head = method .. " " .. wrk.path .. " HTTP/1.1\r\n"
    .. "Host: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
    .. "Content-Type: application/json\r\n"
    .. "Content-Length: " .. length .. "\r\n\r\n" .. before
  local number = first
  request = function()
    number = number + 1
    return head .. string.format("%012d", number) .. after
  end
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"bytes":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end

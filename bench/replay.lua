-- wrk sends the bytes of a file, again and again, and reports as one line of JSON: -- FILE
function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   local request = file:read("*a")
   file:close()
   wrk.format = function() return request end
end

function done(summary, latency, requests)
   local errors = summary.errors
   local report = '\n{"seconds": %f, "requests": %d, "bytes": %.0f, "p50_ms": %f, "p99_ms": %f, ' ..
      '"unconnected": %d, "unread": %d, "unsent": %d, "refused": %d, "late": %d}\n'
   io.write(report:format(
      summary.duration / 1e6, summary.requests, summary.bytes,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end

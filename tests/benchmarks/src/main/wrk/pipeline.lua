-- As many requests at once as the number behind "--" on wrk's command line.
function init(arguments)
  batch = wrk.format():rep(tonumber(arguments[1]))
end

function request()
  return batch
end

/** What someone sees who opens the address in a browser. */

export function landingPage(mcpPath: string | null): string {
  const mcp = mcpPath === null ? 'off' : `<code>${mcpPath}</code>`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>OtelContext</title>
<h1>OtelContext</h1>
<p>This is an observability server for AI agents and for engineers in a shell. It takes telemetry over OTLP
and answers questions about it over MCP. There is nothing to see here.</p>
<ul>
<li>MCP: ${mcp}</li>
<li>OTLP over HTTP: <code>/v1/traces</code>, <code>/v1/logs</code>, <code>/v1/metrics</code></li>
<li>Health: <a href="/live">/live</a>, <a href="/ready">/ready</a></li>
<li>Own metrics: <a href="/metrics">/metrics</a></li>
</ul>
</html>
`
}

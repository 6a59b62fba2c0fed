/** MCP over stdio with the shop behind it, as a process of its own. Prints nothing but protocol on stdout. */
import { createLogger } from '../../src/logger.ts'
import { serveMcpStdio } from '../../src/mcp/stdio.ts'
import type { Caller } from '../../src/model/tool.ts'

const caller: Caller = { tenant: 'default', principal: 'loopback', operator: true }

const { closed } = serveMcpStdio({
  version: '0.0.1',
  logger: createLogger('silent'),
  caller,
  async openRunner() {
    // Decoders, graph and SQLite are loaded by the first call, not before.
    process.stderr.write('opened\n')
    const { shopEndMs, shopRequests } = await import('../tools/shop-telemetry.ts')
    const { startTelemetrySystem } = await import('../tools/telemetry-system.ts')
    const system = startTelemetrySystem(shopEndMs)
    system.publish(shopRequests())
    void closed.then(() => system.close())
    return system
  },
})

/** A case in a real server of its own: empty data directory, telemetry over OTLP/HTTP, asked once all is sealed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import type { IncidentCase } from './cases.ts'
import { type ExportRequest, exportRequests, sendAll } from './send.ts'

/** How long the server may take to seal a case before the question is asked anyway. */
const maxLagWaitMs = 60_000

export interface Serving {
  readonly environment?: Readonly<Record<string, string>>
  readonly arrange?: (requests: readonly ExportRequest[]) => readonly ExportRequest[]
}

/** `use` gets the server's address. The server is gone afterwards, whatever happens. */
export async function withServedCase<T>(
  incident: IncidentCase,
  use: (url: string) => Promise<T>,
  { environment = { DB_DRIVER: 'sqlite' }, arrange = requests => requests }: Serving = {},
): Promise<T> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'otelcontext-incident-'))
  let server: ServerProcess | undefined
  try {
    server = await startServerProcess({ dataDirectory, environment: { API_KEY: '', ...environment } })
    await sendAll(arrange([...exportRequests(incident)]), server.otlpHttpUrl)
    await untilSealed(server.url)
    return await use(server.url)
  } finally {
    await server?.kill()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

/** Waits until `/ready` shows that everything acknowledged is sealed. */
async function untilSealed(url: string): Promise<void> {
  const deadline = Date.now() + maxLagWaitMs
  while (Date.now() < deadline) {
    const response = await fetch(`${url}/ready`)
    const state: unknown = await response.json()
    if (sealingLag(state) === 0) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  console.error('sealing still lags after 60 s; asking anyway')
}

interface ReadyState {
  readonly checks?: Readonly<Record<string, { readonly figures?: Readonly<Record<string, number>> }>>
}

/** Positions acknowledged and not sealed; infinite while the server does not say. */
function sealingLag(state: unknown): number {
  const figures = (state as ReadyState).checks?.['sealing']?.figures // a field we look for, checked below
  const unsealed = figures?.['unsealed_positions']
  return typeof unsealed === 'number' ? unsealed : Number.POSITIVE_INFINITY
}

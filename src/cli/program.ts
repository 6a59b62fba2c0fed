/** The shell commands: what can be said, how it is shown, and the exit code it ends with. */
import { join, resolve } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { type Configuration, readConfiguration } from '../config.ts'
import { ConfigurationError, InvalidInputError, NotFoundError } from '../errors.ts'
import { renderAnswer, type ShownAnswer } from './answer-view.ts'
import { renderColumns } from './columns.ts'
import { examine } from './doctor.ts'
import { exportTelemetry } from './export.ts'
import { checkHealth } from './healthcheck.ts'
import { addLoadOptions, type LoadCommandOptions, offerLoad, renderLoad } from './load/load-command.ts'
import { verifyLedger } from './load/verify-ledger.ts'
import { replay } from './replay.ts'
import { callTool, connect, type LocalServer, type ServerConnection } from './server-connection.ts'
import { renderSettings, reportSettings } from './settings-report.ts'

/** 0 done, 1 failed, 2 bad configuration or usage, 3 a cause was found (`investigate --fail-on`). */
export const exitCodes = { done: 0, failed: 1, usage: 2, causeFound: 3 } as const

/** What only the main module can do. Each resolves with the exit code when the process is to end. */
export interface ProgramParts {
  readonly version: string
  serve(configuration: Configuration): Promise<number>
  mcp(configuration: Configuration): Promise<number>
  local(configuration: Configuration): LocalServer
}

interface CommonOptions {
  readonly endpoint?: string
  readonly tenant?: string
  readonly json?: boolean
}

interface WindowOptions extends CommonOptions {
  readonly since?: string
  readonly from?: string
  readonly to?: string
  readonly service?: string
  readonly maxTokens?: string
}

/** Runs one command line; resolves with the exit code and never throws for what a user typed. */
export async function runProgram(argv: readonly string[], parts: ProgramParts): Promise<number> {
  const outcome = { code: exitCodes.done as number }
  const program = buildProgram(parts, outcome)
  try {
    await program.parseAsync(withCommand(argv), { from: 'user' })
    return outcome.code
  } catch (error) {
    return explain(error)
  }
}

/** What the program itself takes; any other option without a command before it is one of `serve`. */
const programOptions = new Set(['-h', '--help', '-V', '--version'])

/** Without a command the server starts. Not left to commander, which takes a mistyped command for an argument. */
function withCommand(argv: readonly string[]): string[] {
  const [first = '-'] = argv
  return first.startsWith('-') && !programOptions.has(first) ? ['serve', ...argv] : [...argv]
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (error instanceof ConfigurationError) {
    process.stderr.write(`${error.problems.map(problem => `otelcontext: ${problem}`).join('\n')}\n`)
    return exitCodes.usage
  }
  process.stderr.write(`otelcontext: ${error instanceof Error ? error.message : String(error)}\n`)
  const usage = error instanceof InvalidInputError || error instanceof NotFoundError
  return usage ? exitCodes.usage : exitCodes.failed
}

interface ToolsetOptions {
  readonly toolsets?: string
}

/** The option wins over the setting of the same meaning. */
const toolsetSettings = ({ toolsets }: ToolsetOptions): Readonly<Record<string, string>> =>
  toolsets === undefined ? {} : { MCP_TOOLSETS: toolsets }

function buildProgram(parts: ProgramParts, outcome: { code: number }): Command {
  const configuration = (set: Readonly<Record<string, string | undefined>> = {}): Configuration =>
    readConfiguration({ ...process.env, ...set }, process.cwd())
  const program = new Command('otelcontext')
    .description('Observability server for AI agents and engineers in a shell: OTLP in, MCP out.')
    .version(parts.version)
    .exitOverride()
    .showHelpAfterError('(otelcontext --help lists the commands)')
    .addHelpText('after', helpFooter)

  program
    .command('serve')
    .description('take OTLP in and answer over MCP until a signal arrives (the default command)')
    .option('--toolsets <names>', 'further tools to offer, as MCP_TOOLSETS')
    .action(async (options: ToolsetOptions) => {
      outcome.code = await parts.serve(configuration(toolsetSettings(options)))
    })

  program
    .command('mcp')
    .description('speak MCP over stdin and stdout; joins the owner of DATA_DIR or becomes it')
    .option('--toolsets <names>', 'further tools to offer, as MCP_TOOLSETS')
    .action(async (options: ToolsetOptions) => {
      outcome.code = await parts.mcp(configuration(toolsetSettings(options)))
    })

  const session = { parts, configuration, outcome }
  addQuestions(program, session)
  addDataCommands(program, session)
  addOperations(program, session)
  for (const command of program.commands)
    command.showHelpAfterError(`(otelcontext ${command.name()} --help says what it takes)`)
  return program
}

const helpFooter = `
Commands that ask use the server at --endpoint, else the process that owns DATA_DIR, else one they start for the
moment. Times: RFC 3339, epoch seconds or milliseconds, now-15m, -2h.
Exit codes: 0 done, 1 failed, 2 bad configuration or usage, 3 a cause was found (investigate --fail-on).`

interface Session {
  readonly parts: ProgramParts
  readonly configuration: () => Configuration
  readonly outcome: { code: number }
}

async function withServer<T>(
  session: Session,
  options: CommonOptions,
  work: (connection: ServerConnection, configuration: Configuration) => Promise<T>,
): Promise<T> {
  const configuration = session.configuration()
  const connection = await connect(
    {
      endpoint: options.endpoint,
      apiKey: configuration.values.API_KEY,
      mcpPath: configuration.values.MCP_PATH,
      tenant: options.tenant,
    },
    session.parts.local(configuration),
  )
  try {
    return await work(connection, configuration)
  } finally {
    await connection.close()
  }
}

function reached(command: Command): Command {
  return command
    .option('--endpoint <url>', 'server to ask, such as http://127.0.0.1:8080')
    .option('--tenant <name>', 'tenant to ask about (operators)')
}

function common(command: Command): Command {
  return reached(command).option('--json', 'print JSON for a program instead of text for a person')
}

function windowed(command: Command): Command {
  return common(command)
    .option('--since <duration>', 'window from so long ago until now, such as 30m or 2h')
    .option('--from <time>', 'start of the window')
    .option('--to <time>', 'end of the window')
    .option('--max-tokens <n>', 'bound of the answer')
}

function windowArguments(options: WindowOptions): Readonly<Record<string, unknown>> {
  if (options.since !== undefined && options.from !== undefined) {
    throw new InvalidInputError(
      'bad_usage',
      '--since and --from both name the start of the window; give one of them',
    )
  }
  const from = options.since === undefined ? options.from : timeAgo(options.since)
  return {
    ...(from === undefined ? {} : { from }),
    ...(options.to === undefined ? {} : { to: options.to }),
    ...(options.service === undefined ? {} : { service: options.service }),
    ...(options.maxTokens === undefined ? {} : { max_tokens: Number(options.maxTokens) }),
  }
}

function timeAgo(since: string): string {
  if (!/^-?\d{1,6}[smhd]$/.test(since)) {
    throw new InvalidInputError(
      'bad_usage',
      `--since is "${since}"; it is a number and one of s, m, h, d, such as 30m`,
    )
  }
  return `-${since.replace(/^-/, '')}`
}

async function ask(
  session: Session,
  options: CommonOptions,
  tool: string,
  args: Readonly<Record<string, unknown>>,
): Promise<ShownAnswer> {
  const reply = await withServer(session, options, connection => callTool(connection, tool, args))
  const answer = JSON.parse(reply.json) as ShownAnswer // the tools' output schema
  process.stdout.write(options.json === true ? `${reply.json}\n` : `${renderAnswer(answer)}\n`)
  if (reply.failed) session.outcome.code = exitCodes.failed
  return answer
}

interface InvestigateOptions extends WindowOptions {
  readonly baselineFrom?: string
  readonly baselineTo?: string
  readonly failOn?: string
}

/** Verdicts that count for `--fail-on`, each with those more certain than it. */
const failOnVerdicts: Readonly<Record<string, readonly string[]>> = {
  confirmed: ['confirmed'],
  likely: ['confirmed', 'likely'],
  inconclusive: ['confirmed', 'likely', 'inconclusive'],
}

function addQuestions(program: Command, session: Session): void {
  windowed(program.command('investigate').description('what is wrong, since when, why, who is hit, how sure'))
    .option('--service <name>', 'service where the symptom was seen')
    .option('--baseline-from <time>', 'start of the window to compare with')
    .option('--baseline-to <time>', 'end of the window to compare with')
    .addOption(
      new Option('--fail-on <verdict>', 'end with exit code 3 if a cause is at least this certain').choices(
        Object.keys(failOnVerdicts),
      ),
    )
    .action(async (options: InvestigateOptions) => {
      const answer = await ask(session, options, 'investigate', {
        ...windowArguments(options),
        ...(options.baselineFrom === undefined ? {} : { baseline_from: options.baselineFrom }),
        ...(options.baselineTo === undefined ? {} : { baseline_to: options.baselineTo }),
      })
      const verdict = String(answer.facts?.['verdict'] ?? '')
      if (options.failOn !== undefined && failOnVerdicts[options.failOn]?.includes(verdict)) {
        session.outcome.code = exitCodes.causeFound
      }
    })

  windowed(
    program.command('services').description('services and their calls, with rates, errors and latency'),
  )
    .option('--service <name>', 'focus on the neighbourhood of one service')
    .action(async (options: WindowOptions) => {
      await ask(session, options, 'get_service_map', windowArguments(options))
    })

  windowed(program.command('logs').description('log lines or templates; full text with AND, OR, NOT'))
    .argument('[query...]', 'words to search for')
    .option('--service <name>', 'only of this service')
    .option('--severity <level>', 'at least this severe: trace, debug, info, warn, error, fatal')
    .option('--trace <id>', 'only of this trace')
    .option('--limit <n>', 'rows')
    .action(async (query: readonly string[], options: WindowOptions & LogsOptions) => {
      await ask(session, options, 'search_logs', {
        ...windowArguments(options),
        ...(query.length === 0 ? {} : { query: query.join(' ') }),
        ...(options.severity === undefined ? {} : { severity: options.severity }),
        ...(options.trace === undefined ? {} : { trace_id: options.trace }),
        ...(options.limit === undefined ? {} : { limit: Number(options.limit) }),
      })
    })

  common(program.command('trace').description('one trace: summary, critical path, errors, spans'))
    .argument('<id>', 'trace id, or its first eight digits or more')
    .option('--max-tokens <n>', 'bound of the answer')
    .action(async (id: string, options: CommonOptions & { readonly maxTokens?: string }) => {
      const budget = options.maxTokens === undefined ? {} : { max_tokens: Number(options.maxTokens) }
      await ask(session, options, 'get_trace', { trace_id: id, ...budget })
    })
}

interface LogsOptions {
  readonly severity?: string
  readonly trace?: string
  readonly limit?: string
}

interface ExportCommandOptions extends CommonOptions {
  readonly signal: string
  readonly from: string
  readonly to: string
  readonly trace?: string
  readonly service?: string
  readonly output?: string
}

function addDataCommands(program: Command, session: Session): void {
  common(
    program
      .command('replay')
      .description('send recorded OTLP/JSON lines (gzip or not, any signal) to a server'),
  )
    .argument('<path>', 'file, or folder of .jsonl, .json, .ndjson files, .gz too')
    .action(async (path: string, options: CommonOptions) => {
      const report = await withServer(session, options, connection =>
        replay(resolve(path), connection, text => process.stderr.write(`${text}\n`)),
      )
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify(report)}\n`
          : `${renderColumns(['figure', 'value'], Object.entries(report))}\n`,
      )
      if (report.failed_requests > 0) session.outcome.code = exitCodes.failed
    })

  reached(
    program.command('export').description('a window or a trace as OTLP/JSON, one export request per line'),
  )
    .addOption(
      new Option('--signal <name>', 'signal to export')
        .choices(['traces', 'logs', 'metrics', 'all'])
        .default('all'),
    )
    .option('--from <time>', 'start of the window', '-1h')
    .option('--to <time>', 'end of the window', 'now')
    .option('--trace <id>', 'only this trace, whatever its time; all 32 digits')
    .option('--service <name>', 'only this service')
    .option('--output <file>', 'write to a file instead of stdout')
    .action(async (options: ExportCommandOptions) => {
      await withServer(session, options, connection =>
        exportTelemetry(connection, {
          ...options,
          traceId: options.trace,
          service: options.service,
          output: options.output,
          say: text => process.stderr.write(`${text}\n`),
        }),
      )
    })
}

/** The owner's own, else GRPC_PORT of the host that is asked. */
function grpcAddressOf(connection: ServerConnection, configuration: Configuration): string {
  const host = new URL(connection.url).hostname
  return connection.grpcAddress ?? `${host}:${configuration.values.GRPC_PORT}`
}

function addOperations(program: Command, session: Session): void {
  addLoad(program, session)
  common(
    program.command('doctor').description('walk the path of a span hop by hop, canary round trip included'),
  )
    .option('--grpc <address>', 'host:port of OTLP/gRPC')
    .action(async (options: CommonOptions & { readonly grpc?: string }) => {
      const hops = await withServer(session, options, (connection, configuration) => {
        const grpcAddress = options.grpc ?? grpcAddressOf(connection, configuration)
        return examine({ connection, grpcAddress })
      })
      const text = renderColumns(
        ['hop', 'ok', 'ms', 'detail'],
        hops.map(hop => [hop.hop, hop.ok ? 'ok' : 'FAILED', hop.ms, hop.detail]),
        120,
      )
      process.stdout.write(`${options.json === true ? JSON.stringify(hops) : text}\n`)
      if (hops.some(hop => !hop.ok)) session.outcome.code = exitCodes.failed
    })

  program
    .command('healthcheck')
    .description('OK, WARNING or CRITICAL, as exit code 0, 1 or 2')
    .option('--endpoint <url>', 'server to ask')
    .action(async (options: CommonOptions) => {
      session.outcome.code = await reportHealth(session, options)
    })

  program
    .command('verify')
    .description('read everything in DATA_DIR and name what is damaged; works while a server runs or not')
    .option('--json', 'print JSON for a program instead of text for a person')
    .action(async (options: CommonOptions) => {
      const { renderReport, verify } = await import('./verify.ts')
      const configuration = session.configuration()
      const inboxFile = join(configuration.dataDirectory, 'inbox.db')
      const report = await verify(configuration, inboxFile, line => process.stderr.write(`${line}\n`))
      if (report.sound && report.store === null && report.inbox === null) {
        // A mistyped directory must not pass for sound data.
        throw new NotFoundError(
          'nothing_stored',
          `${configuration.dataDirectory} holds neither a store nor an inbox; is DATA_DIR right?`,
        )
      }
      process.stdout.write(`${options.json === true ? JSON.stringify(report) : renderReport(report)}\n`)
      if (!report.sound) session.outcome.code = exitCodes.failed
    })

  program
    .command('config')
    .description('all settings with value, source, default and meaning')
    .option('--json', 'print JSON')
    .action((options: CommonOptions) => {
      const configuration = session.configuration()
      const text =
        options.json === true ? JSON.stringify(reportSettings(configuration)) : renderSettings(configuration)
      process.stdout.write(`${text}\n`)
    })
}

function addLoad(program: Command, session: Session): void {
  const command = common(
    program
      .command('load')
      .description('offer telemetry at a rate and report what was acknowledged, and how fast; an open loop'),
  )
  addLoadOptions(command).action(async (options: LoadCommandOptions) => {
    const progress = (text: string): void => void process.stderr.write(`${text}\n`)
    const stop = new AbortController()
    const interrupt = (): void => stop.abort()
    process.once('SIGINT', interrupt)
    process.once('SIGTERM', interrupt)
    try {
      await withServer(session, options, async (connection, configuration) => {
        if (options.verify === undefined) {
          const grpcAddress = options.grpc ?? grpcAddressOf(connection, configuration)
          const report = await offerLoad({ connection, grpcAddress, options, signal: stop.signal, progress })
          process.stdout.write(
            options.json === true ? `${JSON.stringify(report)}\n` : `${renderLoad(report)}\n`,
          )
          if (report.signals.some(one => one.failed_requests > 0)) session.outcome.code = exitCodes.failed
          return
        }
        const report = await verifyLedger(options.verify, connection, progress)
        process.stdout.write(
          options.json === true
            ? `${JSON.stringify(report)}\n`
            : `${renderColumns(['figure', 'value'], Object.entries(report))}\n`,
        )
        if (report.lost > 0 || report.twice > 0) session.outcome.code = exitCodes.failed
      })
    } finally {
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', interrupt)
    }
  })
}

/** Never starts a server: nobody running is what it is there to find out. */
async function reportHealth(session: Session, options: CommonOptions): Promise<number> {
  const configuration = session.configuration()
  const endpoint = options.endpoint ?? (await session.parts.local(configuration).findOwner())?.url
  if (endpoint === undefined) {
    process.stdout.write(`CRITICAL: no server owns ${configuration.dataDirectory}\n`)
    return 2
  }
  const verdict = await checkHealth({
    url: endpoint,
    headers: {},
    origin: 'endpoint',
    close: async () => undefined,
  })
  process.stdout.write(`${verdict.word}: ${verdict.detail}\n`)
  return verdict.exitCode
}

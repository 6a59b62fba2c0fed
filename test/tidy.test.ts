/** The layout and the import table of docs/architecture.md, and a few rules of style, held against the files. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const sourceRoot = join(root, 'src')

/** Layer: layers it may import. Everyone may import errors.ts and logger.ts. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  otlp: ['model'],
  ingest: ['model', 'otlp'],
  store: ['model', 'otlp'],
  graph: ['model', 'otlp'],
  engine: ['model', 'otlp', 'store', 'graph'],
  tools: ['model', 'otlp', 'graph'],
  query: ['model', 'otlp', 'store', 'graph', 'tools'],
  mcp: ['model', 'tools'],
  server: ['model'],
  cli: ['model', 'otlp', 'ingest', 'store', 'graph', 'engine', 'tools', 'query', 'server', ''],
  process: [
    'model',
    'otlp',
    'ingest',
    'store',
    'graph',
    'engine',
    'tools',
    'query',
    'mcp',
    'server',
    'cli',
    '',
  ],
  '': ['model', 'cli', 'process', ''],
}

/** Folders of a layer that are open to one more: they read through the reader port and know no store. */
const alsoOpen: Readonly<Record<string, readonly string[]>> = {
  tools: ['src/store/search/', 'src/store/metrics/'],
}

/** Package: the only places that may import it. */
const doors: Readonly<Record<string, readonly string[]>> = {
  '@modelcontextprotocol/': ['src/mcp/'],
  '@grpc/': ['src/ingest/', 'src/cli/'],
  'grpc-health-check': ['src/ingest/', 'src/cli/'],
  'better-sqlite3': ['src/store/sqlite/', 'src/engine/inbox/', 'src/engine/owner/'],
  pg: ['src/store/postgres/'],
  pino: ['src/logger.ts'],
  commander: ['src/cli/', 'src/main.ts'],
  'prom-client': ['src/server/'],
}

const shared = new Set(['src/errors.ts', 'src/logger.ts'])

interface SourceFile {
  readonly path: string
  readonly layer: string
  readonly text: string
  readonly imports: readonly string[]
}

function layerOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 2 ? (parts[1] ?? '') : ''
}

function readSources(): readonly SourceFile[] {
  return readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => {
      const path = `src/${name.replaceAll('\\', '/')}`
      const text = readFileSync(join(root, path), 'utf8')
      const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '')
      return { path, layer: layerOf(path), text, imports: specifiers }
    })
}

const sources = readSources()

describe('the import table', () => {
  it('covers every folder of src', () => {
    expect([...new Set(sources.map(file => file.layer))].filter(layer => !(layer in mayImport))).toEqual([])
  })

  it('is kept by every import between layers', () => {
    const broken: string[] = []
    for (const file of sources) {
      for (const specifier of file.imports.filter(name => name.startsWith('.'))) {
        const target = relative(root, resolve(root, dirname(file.path), specifier)).replaceAll('\\', '/')
        const layer = layerOf(target)
        const open = alsoOpen[file.layer]?.some(folder => target.startsWith(folder)) === true
        const allowed =
          layer === file.layer || shared.has(target) || open || mayImport[file.layer]?.includes(layer)
        if (!allowed) broken.push(`${file.path} imports ${target}`)
      }
    }
    expect(broken).toEqual([])
  })

  it('has one door for every package', () => {
    const broken: string[] = []
    for (const file of sources) {
      for (const specifier of file.imports) {
        for (const [name, places] of Object.entries(doors)) {
          if (!specifier.startsWith(name)) continue
          if (!places.some(place => file.path.startsWith(place)))
            broken.push(`${file.path} imports ${specifier}`)
        }
      }
    }
    expect(broken).toEqual([])
  })
})

describe('which store it is', () => {
  it('is known to the configuration, the store that opens it and nobody else', () => {
    const knowing = sources.filter(file => /driver === '/.test(file.text)).map(file => file.path)
    expect(knowing.sort()).toEqual(['src/config.ts', 'src/store/open-store.ts'])
  })
})

describe('files', () => {
  it('have kebab-case names that say what they are about', () => {
    const vague = /^(utils?|helpers?|common|types|services|misc|index)\.ts$/
    const bad = sources.filter(file => {
      const name = file.path.split('/').at(-1) ?? ''
      return !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name) || vague.test(name)
    })
    expect(bad.map(file => file.path)).toEqual([])
  })

  it('use no unchecked types and leave nothing open', () => {
    const words = [
      '[\\w)\\]]: any\\b(?! [a-z])',
      'as any\\b',
      '@ts-(ignore|expect-error|nocheck)',
      '\\b(TODO|FIXME|HACK)\\b',
      '\\bconsole\\.',
    ]
    const pattern = new RegExp(words.join('|'))
    expect(sources.filter(file => pattern.test(file.text)).map(file => file.path)).toEqual([])
  })

  it('name no path of a developer machine', () => {
    const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
    const prefix = new RegExp(['/wor', 'k/'].join('') + '|' + ['\\.\\./sha', 'red'].join(''))
    const texts = tracked.filter(
      path => /\.(ts|js|json|md|ya?ml)$/.test(path) && path !== 'package-lock.json',
    )
    const bad = texts.filter(path => prefix.test(readFileSync(join(root, path), 'utf8')))
    expect(bad).toEqual([])
  })
})

describe('the package', () => {
  interface Lock {
    readonly packages: Readonly<
      Record<
        string,
        {
          readonly optionalDependencies?: Readonly<Record<string, string>>
          readonly hasInstallScript?: boolean
        }
      >
    >
  }
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock // npm's own format, version 3
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly allowScripts: Readonly<Record<string, boolean>>
    readonly dependencies: Readonly<Record<string, string>>
    readonly devDependencies: Readonly<Record<string, string>>
  }

  it('locks every optional platform package that a locked package names', () => {
    const present = new Set(Object.keys(lock.packages).map(path => path.split('node_modules/').at(-1) ?? ''))
    const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {})
        .filter(name => !present.has(name))
        .map(name => `${path} names ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('decides about every install script', () => {
    const scripted = Object.entries(lock.packages)
      .filter(([, entry]) => entry.hasInstallScript === true)
      .map(([path]) => path.split('node_modules/').at(-1) ?? '')
    // By exact name: npm does not read patterns there.
    const decided = Object.keys(manifest.allowScripts)
    expect(scripted.filter(name => !decided.includes(name))).toEqual([])
    const allowed = decided.filter(name => manifest.allowScripts[name] === true)
    expect(allowed.filter(name => !scripted.includes(name))).toEqual([])
  })

  it('writes exact versions', () => {
    const ranges = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    )
    expect(ranges).toEqual([])
  })
})

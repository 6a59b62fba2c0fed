/** `otelcontext config` and the README's table of settings: the schema, read aloud. */
import { type Configuration, type Setting, type SettingName, settings } from '../config.ts'
import { renderColumns } from './columns.ts'

const settingEntries = Object.entries(settings) as readonly (readonly [SettingName, Setting])[] // keys of SettingValues

export interface SettingReport {
  readonly name: string
  readonly value: unknown
  readonly source: string
  readonly default: string
  readonly meaning: string
}

/** Every setting with its effective value and where it came from; secrets are only said to be set. */
export function reportSettings(configuration: Configuration): readonly SettingReport[] {
  return settingEntries.map(([name, setting]) => ({
    name,
    value: setting.secret ? (configuration.values[name] === '' ? '' : '(set)') : configuration.values[name],
    source: configuration.sources[name],
    default: setting.fallback,
    meaning: setting.meaning,
  }))
}

export function renderSettings(configuration: Configuration): string {
  const rows = reportSettings(configuration).map(row => [
    row.name,
    row.value,
    row.source,
    row.default,
    row.meaning,
  ])
  return renderColumns(['setting', 'value', 'source', 'default', 'meaning'], rows, 100)
}

/** Markdown, one table a group, for the README. */
export function settingsMarkdown(): string {
  const groups = [...new Set(settingEntries.map(([, setting]) => setting.group))]
  return groups
    .map(group => {
      const rows = settingEntries
        .filter(([, setting]) => setting.group === group)
        .map(
          ([name, setting]) =>
            `| \`${name}\` | ${setting.fallback === '' ? '' : `\`${setting.fallback}\``} | ${setting.meaning} |`,
        )
      return [`**${group}**`, '', '| name | default | meaning |', '|---|---|---|', ...rows].join('\n')
    })
    .join('\n\n')
}

/** Options of the commands of this folder: `--help`, one sentence about what cannot be read, and exit code 2 for it. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values']

/** `help` begins with the usage, a line, and goes on after an empty one. Ends the process for `--help` and for mistakes. */
export function readOptions<const T extends Options>(help: string, options: T): Values<T> {
  if (process.argv.includes('--help')) {
    console.log(help)
    process.exit(0)
  }
  try {
    return parseArgs({ options }).values as Values<T> // the same options, named as they came
  } catch (error) {
    refuse(help, error instanceof Error ? error.message : String(error))
  }
}

/** Says what is wrong and how the command is used, and ends the process. */
export function refuse(help: string, why: string): never {
  console.error(`${why}\n${help.split('\n')[0]}`)
  process.exit(2)
}

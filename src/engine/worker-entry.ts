/** Where a worker's code lies: beside its starter, as TypeScript in a checkout and as JavaScript when packed. */

/** URL of the worker `name` (without extension) beside the module `moduleUrl`. */
export function workerEntry(name: string, moduleUrl: string): URL {
  const extension = moduleUrl.endsWith('.ts') ? '.ts' : '.js'
  return new URL(`./${name}${extension}`, moduleUrl)
}

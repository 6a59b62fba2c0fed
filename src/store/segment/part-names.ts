/** The parts of a segment. A reader fetches only those it needs. */

export const partNames = {
  /** Tables and columns: everything a block has. */
  columns: 'columns',
  /** Attribute keys and repeated fields that frames refer to. */
  dictionary: 'dictionary',
  /** Sorted prefixes and hashes of trace ids; spans and log records. */
  traces: 'traces',
  /** Folded words with the frames they occur in; log records. */
  terms: 'terms',
  /** A filter over how those words begin; log records. */
  prefixes: 'prefixes',
  /** Messages of rows `frame * rowsPerFrame(signal)` and the ones that follow. */
  frame: (frame: number): string => `frame.${frame}`,
} as const

/** The parts of a segment. A reader fetches only those it needs. */

export const partNames = {
  /** Tables, and the times of the groups of rows. Formats 2 and 3: the columns of all rows too. */
  columns: 'columns',
  /** The columns of rows `group * rowsPerGroup(signal)` and the ones that follow. */
  group: (group: number): string => `columns.${group}`,
  /** Attribute keys and repeated fields that frames refer to. */
  dictionary: 'dictionary',
  /** Sorted prefixes and hashes of trace ids; spans and log records. */
  traces: 'traces',
  /** Which words are where; log records. Formats 2 and 3: the words too. */
  terms: 'terms',
  /** Folded words with the frames they occur in. */
  termBlock: (block: number): string => `terms.${block}`,
  /** A filter over how those words begin; log records. */
  prefixes: 'prefixes',
  /** A filter over attributes whose values repeat, and over the keys of the others; spans and log records. */
  attributes: 'attributes',
  /** A filter over the others; spans and log records. */
  values: 'values',
  /** Messages of rows `frame * rowsPerFrame(signal)` and the ones that follow. */
  frame: (frame: number): string => `frame.${frame}`,
} as const

/**
 * Columns of one block cut out of one buffer: a dozen small buffers cost more to make than the spans of a small
 * request to decode.
 */
/** Where columns lie that were filled elsewhere. */
export interface ColumnPlace {
  readonly buffer: ArrayBufferLike
  /** Bytes from its start, a multiple of eight. */
  readonly offset: number
}

export class ColumnBuffer {
  readonly #buffer: ArrayBufferLike
  #used: number

  /** `rowBytes` is the sum of the widths of all columns. Widest columns must be taken first, for alignment. */
  constructor(rows: number, rowBytes: number, place?: ColumnPlace) {
    this.#buffer = place?.buffer ?? new ArrayBuffer(rows * rowBytes)
    this.#used = place?.offset ?? 0
  }

  #take(bytes: number): number {
    const start = this.#used
    this.#used += bytes
    return start
  }

  float64(length: number): Float64Array {
    return new Float64Array(this.#buffer, this.#take(length * 8), length)
  }

  uint32(length: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(length * 4), length)
  }

  uint16(length: number): Uint16Array {
    return new Uint16Array(this.#buffer, this.#take(length * 2), length)
  }

  uint8(length: number): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(length), length)
  }
}

/** The first `length` elements of a column; the column itself when that is all of it. */
export function firstOf<T extends { readonly length: number; subarray(from: number, to: number): T }>(
  column: T,
  length: number,
): T {
  return column.length === length ? column : column.subarray(0, length)
}

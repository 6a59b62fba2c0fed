/**
 * zstd with one context for all calls of a thread. The functions of `node:zlib` make one for each call, which takes
 * 20 µs, as long as packing three kilobytes. Its streams have one inside that can be driven synchronously; npm's own
 * archives are written that way, but it is not documented. So only versions of Node that were tried do it, after a
 * trial; all others, and whatever goes wrong, take the documented way. The bytes are the same.
 */
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'

/** Level 1: within 3 % of level 3 on small frames, at twice its speed. */
const params = { [constants.ZSTD_c_compressionLevel]: 1 }

/** Major versions of Node with which this was tried. */
const triedVersions: readonly string[] = ['22', '24']

/** What is inside of a stream of `node:zlib`. */
interface Inside {
  readonly _handle: {
    onerror: () => void
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputSize: number,
      output: Uint8Array,
      outputAt: number,
      outputSize: number,
    ): void
  }
  /** Bytes of output, and of input, that were left by the last `writeSync`. */
  readonly _writeState: Uint32Array
}

function insideOf(stream: object): Inside | null {
  const { _handle: handle, _writeState: state } = stream as Partial<Inside>
  const known = typeof handle?.writeSync === 'function' && state instanceof Uint32Array && state.length === 2
  return known ? (stream as Inside) : null
}

/** One direction. Each call is a frame from its beginning to its end, or the context is given up. */
class Context {
  readonly #make: () => object
  #inside: Inside | null = null
  #failed = false

  constructor(make: () => object) {
    this.#make = make
  }

  /** Takes all of `input`; how many bytes of `output` it made, -1 where it did not end with it. */
  run(input: Uint8Array, output: Uint8Array, mustFill: boolean): number {
    this.#inside ??= this.#open()
    if (this.#inside === null) return -1
    const { _handle: handle, _writeState: left } = this.#inside
    handle.writeSync(constants.ZSTD_e_end, input, 0, input.length, output, 0, output.length)
    const full = left[0] === 0
    if (!this.#failed && left[1] === 0 && full === mustFill) return output.length - (left[0] as number)
    this.#inside = null
    return -1
  }

  #open(): Inside | null {
    const inside = insideOf(this.#make())
    this.#failed = false
    if (inside !== null)
      inside._handle.onerror = () => {
        this.#failed = true
      }
    return inside
  }
}

const packing = new Context(() => createZstdCompress({ params }))
const unpacking = new Context(() => createZstdDecompress())
/** Grows to the largest frame. */
let packed = new Uint8Array(65_536)
let usable: boolean | null = null

/** Whether contexts are kept; decided by a trial when first asked. */
export function keepsContexts(): boolean {
  usable ??= triedVersions.includes(process.versions.node.split('.')[0] ?? '') && isSound()
  return usable
}

/** Whether two frames after each other are what the documented way makes of them, and come back. */
function isSound(): boolean {
  return [300, 2_000].every(size => {
    const content = Uint8Array.from({ length: size }, (_, at) => (at * at) % 13)
    const expected = zstdCompressSync(content, { params })
    const made = runPacking(content)
    const back = new Uint8Array(size)
    return (
      made !== null &&
      Buffer.compare(made, expected) === 0 &&
      unpacking.run(expected, back, true) === size &&
      Buffer.compare(back, content) === 0
    )
  })
}

function runPacking(content: Uint8Array): Uint8Array | null {
  // What does not compress grows by three bytes for each block of 128 kB, and a header.
  const room = content.length + (content.length >> 8) + 512
  if (packed.length < room) packed = new Uint8Array(Math.max(room, packed.length * 2))
  const size = packing.run(content, packed, false)
  return size < 0 ? null : packed.subarray(0, size)
}

/** One frame with its content; it may lie in memory that the next call writes to. */
export function packFrame(content: Uint8Array): Uint8Array {
  const made = keepsContexts() ? runPacking(content) : null
  // One output buffer that surely holds it: the default gathers pieces of 16 kB and joins them.
  return made ?? zstdCompressSync(content, { params, chunkSize: content.length + 512 })
}

/** The content, of `size` bytes if the frame says so too. Throws what `zstdDecompressSync` throws. */
export function unpackFrame(frame: Uint8Array, size: number): Uint8Array {
  // A frame that breaks off would leave the context in the middle of it.
  if (keepsContexts() && isWholeFrame(frame, size)) {
    const content = new Uint8Array(size)
    if (unpacking.run(frame, content, true) === size) return content
  }
  // As above; and room for a little more, or a second piece would be made to see that nothing comes.
  return zstdDecompressSync(frame, { maxOutputLength: Math.max(1, size), chunkSize: size + 64 })
}

/** Bytes of a dictionary's id, and of the content's size, by what the descriptor says (RFC 8878, section 3.1.1.1). */
const idBytes = [0, 1, 2, 4] as const
const sizeBytes = [0, 2, 4, 8] as const

/** Whether the bytes are one frame from its header, which says `size`, to its last block. */
function isWholeFrame(frame: Uint8Array, size: number): boolean {
  if (frame.length < 9) return false
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const descriptor = view.getUint8(4)
  const single = (descriptor & 0x20) !== 0
  const at = 5 + (single ? 0 : 1) + (idBytes[descriptor & 3] ?? 0)
  const bytes = single && descriptor < 0x40 ? 1 : (sizeBytes[descriptor >> 6] ?? 0)
  if (view.getUint32(0, true) !== 0xfd2fb528 || at + bytes > frame.length) return false
  if (bytes === 0 || bytes === 8) return false
  const told =
    bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at, true) + 256 : view.getUint32(at, true)
  return told === size && size > 0 && endOfBlocks(view, at + bytes) + (descriptor & 4) === frame.length
}

/** Not an end, with a checksum or without. */
const noEnd = -8

/** Behind the last of the blocks that begin at `at`; `noEnd` where there is none (RFC 8878, section 3.1.1.2). */
function endOfBlocks(view: DataView, at: number): number {
  for (let next = at; next + 3 <= view.byteLength; ) {
    const header = view.getUint16(next, true) | (view.getUint8(next + 2) << 16)
    const type = (header >> 1) & 3
    if (type === 3) return noEnd
    next += 3 + (type === 1 ? 1 : header >> 3)
    if ((header & 1) === 1) return next
  }
  return noEnd
}

/** The span attributes that become columns: found by their bytes, read after the whole span is known. */
import { peerKinds } from '../../model/telemetry.ts'
import {
  attribute,
  checkValue,
  numberAt,
  scanAttribute,
  shortTextAt,
  stringStart,
} from '../wire/attribute-scan.ts'
import type { TextInterner } from '../wire/interner.ts'
import { KeyMatcher } from '../wire/key-matcher.ts'
import { utf8CutEnd } from '../wire/utf8-text.ts'

/** Index is the number of the attribute below. */
const keys = [
  'http.response.status_code',
  'http.status_code',
  'error.type',
  'peer.service',
  'messaging.destination.name',
  'messaging.system',
  'db.system.name',
  'db.system',
  'db.namespace',
  'db.name',
  'server.address',
  'net.peer.name',
  'server.port',
  'net.peer.port',
  // Of the first exception event, not of the span.
  'exception.type',
] as const

/** Depth of an attribute of a span: request, groups, span. */
const spanAttributeDepth = 5

const httpStatus = 0
const oldHttpStatus = 1
const errorType = 2
const peerService = 3
const messagingDestination = 4
const messagingSystem = 5
const dbSystemName = 6
const dbSystem = 7
const dbNamespace = 8
const dbName = 9
const serverAddress = 10
const netPeerName = 11
const serverPort = 12
const netPeerPort = 13
const exceptionType = 14

/** Kinds that call someone: client, producer, consumer. */
const firstCallingKind = 3
const lastCallingKind = 5

const peerAttributes =
  (1 << peerService) |
  (1 << messagingDestination) |
  (1 << dbSystemName) |
  (1 << dbSystem) |
  (1 << serverAddress) |
  (1 << netPeerName)

/** Bytes of a part of a peer's name, or of an error type: columns cut what is longer, the record keeps it. */
const longestPart = 512

const colon = 0x3a
const slash = 0x2f

/** Attributes of the span at hand. One object, cleared for each span. */
export class HotAttributes {
  readonly #matcher = new KeyMatcher(keys)
  readonly #from = new Int32Array(keys.length)
  readonly #to = new Int32Array(keys.length)
  /** The name of a peer while it is put together: two parts and what is between them, with room to spare. */
  readonly #text8 = new Uint8Array(2 * longestPart + 64)
  readonly #textView = new DataView(this.#text8.buffer)
  #composed = 0
  /** Bit set of the attributes seen. */
  #seen = 0

  clear(): void {
    this.#seen = 0
  }

  /**
   * Scans the attribute `bytes[from, to)` of a span and takes note of it if it is one of ours; the last of equal keys
   * counts. Throws when it is not well formed. `view` is one of `bytes`.
   */
  scan(bytes: Uint8Array, view: DataView, from: number, to: number): void {
    // What encoders send: key and value, each shorter than 128 bytes; see `scanAttribute` for all else.
    const keyLength = bytes[from + 1] ?? 0
    const valueFrom = from + keyLength + 4
    const length = to - valueFrom
    if (
      length < 2 ||
      length >= 0x80 ||
      keyLength >= 0x80 ||
      bytes[from] !== 0x0a ||
      bytes[valueFrom - 2] !== 0x12 ||
      bytes[valueFrom - 1] !== length
    ) {
      scanAttribute(bytes, from, to, spanAttributeDepth)
      this.#note(view, attribute.keyFrom, attribute.keyTo - attribute.keyFrom)
      return
    }
    attribute.valueFrom = valueFrom
    attribute.valueTo = to
    if (bytes[valueFrom] !== 0x0a || bytes[valueFrom + 1] !== length - 2) {
      checkValue(bytes, valueFrom, to, spanAttributeDepth + 1)
    }
    this.#note(view, from + 2, keyLength)
  }

  #note(view: DataView, keyFrom: number, keyLength: number): void {
    const key = this.#matcher.match(view, keyFrom, keyLength)
    if (key >= 0 && key !== exceptionType) this.#set(key)
  }

  /** The same for an attribute of an exception event, of which the first counts. */
  noteException(view: DataView): void {
    if (this.#has(exceptionType)) return
    const key = this.#matcher.match(view, attribute.keyFrom, attribute.keyTo - attribute.keyFrom)
    if (key === exceptionType) this.#set(key)
  }

  #set(key: number): void {
    this.#from[key] = attribute.valueFrom
    this.#to[key] = attribute.valueTo
    this.#seen |= 1 << key
  }

  #has(key: number): boolean {
    return (this.#seen & (1 << key)) !== 0
  }

  httpStatus(bytes: Uint8Array): number {
    const key = this.#has(httpStatus) ? httpStatus : oldHttpStatus
    if (!this.#has(key)) return 0
    const status = numberAt(bytes, this.#from[key] ?? 0, this.#to[key] ?? 0)
    return status > 0 && status <= 0xffff ? Math.trunc(status) : 0
  }

  /** Number of the text of `error.type`, else of `exception.type`. */
  errorType(bytes: Uint8Array, texts: TextInterner): number {
    if ((this.#seen & ((1 << errorType) | (1 << exceptionType))) === 0) return 0
    const own = this.#text(bytes, errorType, texts)
    return own === 0 ? this.#text(bytes, exceptionType, texts) : own
  }

  /** Whom a span of this kind talks to: the number of the text, times eight, plus one of `peerKinds`. */
  peer(bytes: Uint8Array, texts: TextInterner, kind: number): number {
    if ((this.#seen & peerAttributes) === 0 || kind < firstCallingKind || kind > lastCallingKind) return 0
    const service = this.#text(bytes, peerService, texts)
    if (service !== 0) return service * 8 + peerKinds.service
    this.#composed = 0
    if (this.#append(bytes, messagingDestination)) {
      this.#composed = 0
      if (this.#append(bytes, messagingSystem)) this.#separate(colon)
      this.#append(bytes, messagingDestination)
      return this.#number(texts, peerKinds.messaging)
    }
    if (this.#append(bytes, dbSystemName) || this.#append(bytes, dbSystem)) {
      this.#separate(slash)
      const named = this.#append(bytes, dbNamespace) || this.#append(bytes, dbName)
      // Two stores of one system are told apart by where they are, but not by addresses, which do not last.
      if (!named && !this.#appendHost(bytes, serverAddress) && !this.#appendHost(bytes, netPeerName)) {
        this.#composed--
      }
      return this.#number(texts, peerKinds.database)
    }
    if (!this.#append(bytes, serverAddress) && !this.#append(bytes, netPeerName)) return 0
    this.#separate(colon)
    if (!this.#append(bytes, serverPort) && !this.#append(bytes, netPeerPort)) this.#composed--
    return this.#number(texts, peerKinds.address)
  }

  #text(bytes: Uint8Array, key: number, texts: TextInterner): number {
    if (!this.#has(key)) return 0
    const from = this.#from[key] ?? 0
    const to = this.#to[key] ?? 0
    const start = stringStart(bytes, from, to)
    if (start < 0) return texts.numberOfText(shortTextAt(bytes, from, to))
    return texts.number(bytes, start, utf8CutEnd(bytes, start, to, longestPart))
  }

  /** Adds the attribute's text to the composed one; false if there is none. */
  #append(bytes: Uint8Array, key: number): boolean {
    if (!this.#has(key)) return false
    const from = this.#from[key] ?? 0
    const to = this.#to[key] ?? 0
    const start = stringStart(bytes, from, to)
    if (start < 0) return this.#appendNumber(numberAt(bytes, from, to))
    const end = utf8CutEnd(bytes, start, to, longestPart)
    const text = this.#text8
    const at = this.#composed - start
    for (let i = start; i < end; i++) text[at + i] = bytes[i] ?? 0
    this.#composed = at + end
    return end > start
  }

  /** Adds the attribute's text if it is the name of a host and no address. */
  #appendHost(bytes: Uint8Array, key: number): boolean {
    const before = this.#composed
    if (!this.#append(bytes, key)) return false
    let letters = 0
    for (let at = before; at < this.#composed; at++) {
      const byte = (this.#text8[at] ?? 0) | 32
      // A colon stands in version 6 addresses only.
      if (this.#text8[at] === colon) letters = Number.NEGATIVE_INFINITY
      if (byte >= 97 && byte <= 122) letters++
    }
    if (letters > 0) return true
    this.#composed = before
    return false
  }

  #appendNumber(value: number): boolean {
    if (Number.isNaN(value)) return false
    const digits = String(value)
    for (let i = 0; i < digits.length; i++) this.#text8[this.#composed++] = digits.charCodeAt(i)
    return true
  }

  #separate(separator: number): void {
    this.#text8[this.#composed++] = separator
  }

  #number(texts: TextInterner, kind: number): number {
    return texts.number(this.#text8, 0, this.#composed, this.#textView) * 8 + kind
  }
}

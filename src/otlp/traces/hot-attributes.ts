/** The span attributes that become columns: found by their bytes, read after the whole span is known. */
import { peerKinds } from '../../model/telemetry.ts'
import { attribute, numberAt, shortTextAt, stringStart } from '../wire/attribute-scan.ts'
import type { TextInterner } from '../wire/interner.ts'
import { KeyMatcher } from '../wire/key-matcher.ts'

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

/** Attributes of the span at hand. One object, cleared for each span. */
export class HotAttributes {
  readonly #matcher = new KeyMatcher(keys)
  readonly #from = new Int32Array(keys.length)
  readonly #to = new Int32Array(keys.length)
  /** Bit set of the attributes seen. */
  #seen = 0

  clear(): void {
    this.#seen = 0
  }

  /** Takes note of the attribute just scanned, if it is one of ours. The last of equal keys counts. */
  note(bytes: Uint8Array): void {
    const key = this.#matcher.match(bytes, attribute.keyFrom, attribute.keyTo - attribute.keyFrom)
    if (key < 0 || key === exceptionType) return
    this.#set(key)
  }

  /** The same for an attribute of an exception event, of which the first counts. */
  noteException(bytes: Uint8Array): void {
    if (this.#has(exceptionType)) return
    const key = this.#matcher.match(bytes, attribute.keyFrom, attribute.keyTo - attribute.keyFrom)
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
    if (this.#seen === 0 || kind < firstCallingKind || kind > lastCallingKind) return 0
    const service = this.#text(bytes, peerService, texts)
    if (service !== 0) return service * 8 + peerKinds.service
    const destination = this.#string(bytes, messagingDestination)
    if (destination !== '') {
      const system = this.#string(bytes, messagingSystem)
      return number(texts, system === '' ? destination : `${system}:${destination}`, peerKinds.messaging)
    }
    const database = this.#string(bytes, dbSystemName) || this.#string(bytes, dbSystem)
    if (database !== '') {
      const name = this.#string(bytes, dbNamespace) || this.#string(bytes, dbName)
      return number(texts, name === '' ? database : `${database}/${name}`, peerKinds.database)
    }
    const address = this.#string(bytes, serverAddress) || this.#string(bytes, netPeerName)
    if (address === '') return 0
    const port = this.#string(bytes, serverPort) || this.#string(bytes, netPeerPort)
    return number(texts, port === '' ? address : `${address}:${port}`, peerKinds.address)
  }

  #text(bytes: Uint8Array, key: number, texts: TextInterner): number {
    if (!this.#has(key)) return 0
    const from = this.#from[key] ?? 0
    const to = this.#to[key] ?? 0
    const start = stringStart(bytes, from, to)
    return start >= 0 ? texts.number(bytes, start, to) : texts.numberOfText(shortTextAt(bytes, from, to))
  }

  #string(bytes: Uint8Array, key: number): string {
    return this.#has(key) ? shortTextAt(bytes, this.#from[key] ?? 0, this.#to[key] ?? 0) : ''
  }
}

function number(texts: TextInterner, text: string, kind: number): number {
  return texts.numberOfText(text) * 8 + kind
}

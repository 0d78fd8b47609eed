/** The repository is damaged: bytes are not what the format says. */
export class Damage extends Error {
  name = 'Damage'
}

/** The repository may be fine, but this reader is too old or too small for it. */
export class Unsupported extends Error {
  name = 'Unsupported'
}

export function damaged(where, what) {
  throw new Damage(`${where}: ${what}`)
}

/** Takes values from the front of a byte string and never reads beyond its end. */
export class Cursor {
  constructor(bytes, where) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.where = where
    this.at = 0
  }

  get left() {
    return this.bytes.length - this.at
  }

  take(length) {
    if (length > this.left) damaged(this.where, `ends early: ${length} bytes wanted at ${this.at}, ${this.left} left`)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  u8 = () => this.take(1).readUInt8()
  u16 = () => this.take(2).readUInt16LE()
  u32 = () => this.take(4).readUInt32LE()
  u64 = () => this.safe(this.take(8).readBigUInt64LE())
  i64 = () => this.safe(this.take(8).readBigInt64LE())
  /** Device and link numbers may use all 64 bits. */
  big64 = () => this.take(8).readBigUInt64LE()

  safe(value) {
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
      damaged(this.where, `${value} is out of range`)
    }
    return Number(value)
  }

  zeros(length) {
    if (this.take(length).some((byte) => byte !== 0)) damaged(this.where, 'bytes that have to be zero are not')
  }

  end() {
    if (this.left > 0) damaged(this.where, `${this.left} bytes too many`)
  }
}

export function utf8(bytes, where) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return damaged(where, 'text is not UTF-8')
  }
}

export function json(bytes, where) {
  const text = utf8(bytes, where)
  let value
  try {
    value = JSON.parse(text)
  } catch (error) {
    return damaged(where, `not JSON: ${error.message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) damaged(where, 'not a JSON object')
  return value
}

export function hex(text, length, where) {
  if (typeof text !== 'string' || text.length !== length * 2 || !/^[0-9a-f]*$/.test(text)) {
    damaged(where, `${JSON.stringify(text)} is not ${length} bytes of lower-case hex`)
  }
  return Buffer.from(text, 'hex')
}

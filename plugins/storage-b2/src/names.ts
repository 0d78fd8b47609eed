import { PortError } from '@bkp/plugin-api'

const segment = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/
// The longest key of the port, and the slash before it, must fit behind the prefix into the 1,024 bytes of a name.
const longestPrefixBytes = 1024 - 512 - 1
const longestSegmentBytes = 250

export interface Location {
  readonly bucket: string
  /** What every file name begins with: empty, or ending in a slash. */
  readonly prefix: string
}

/** Whether this is a key of the port. Other files below the prefix are none of our objects. */
export function isKey(text: string): boolean {
  return text.length <= 512 && text.split('/').every((part) => segment.test(part))
}

/** Reads `b2://bucket/prefix`; the prefix is taken as it stands. @throws PortError `config` */
export function parseLocation(url: string): Location {
  const [, authority = '', path = ''] = /^b2:\/\/([^/]*)(.*)$/s.exec(url) ?? []
  if (authority.includes('@')) {
    throw new PortError('config', 'The URL of a B2 bucket holds no credentials', {
      hint: 'Write b2://bucket/prefix, and give the key as B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY',
    })
  }
  if (!/^[A-Za-z0-9-]{1,63}$/.test(authority)) {
    throw new PortError('config', `"${url}" names no bucket`, { hint: 'Write b2://bucket/prefix' })
  }
  const inner = path.replace(/^\/+|\/+$/g, '')
  if (inner === '') return { bucket: authority, prefix: '' }
  const complaint = complaintAboutPrefix(inner)
  if (complaint !== undefined) throw new PortError('config', `The prefix "${inner}" ${complaint}`)
  return { bucket: authority, prefix: `${inner}/` }
}

/** Why B2 would not take names that begin so; see "File names" of its documentation. */
function complaintAboutPrefix(prefix: string): string | undefined {
  const segments = prefix.split('/')
  if (segments.includes('')) return 'has two slashes in a row'
  // They would be resolved by whoever reads the URL of a download.
  if (segments.some((part) => part === '.' || part === '..')) return 'has a part that is a dot or two'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what B2 refuses
  if (/[\\\u0000-\u001f\u007f]/.test(prefix)) return 'has a backslash or a control character'
  if (segments.some((part) => Buffer.byteLength(part) > longestSegmentBytes))
    return `has a part that is longer than ${longestSegmentBytes} bytes`
  if (Buffer.byteLength(prefix) > longestPrefixBytes) return `is longer than ${longestPrefixBytes} bytes`
  return undefined
}

/** A file name as headers and paths of URLs take it. */
export function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll('%2F', '/')
}

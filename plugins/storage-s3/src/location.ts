import { PortError } from '@bkp/plugin-api'

export interface Location {
  readonly bucket: string
  /** Empty, or segments that end with a slash: what stands before every key. */
  readonly prefix: string
}

/** `s3://bucket` or `s3://bucket/a/prefix`. @throws PortError `config` */
export function parseLocation(url: string): Location {
  const [, authority = '', path = ''] = /^s3:\/\/([^/?#]*)\/?([^?#]*)$/i.exec(url) ?? []
  if (authority.includes('@')) {
    throw new PortError('config', 'A URL of S3 cannot hold keys', {
      hint: 'Write s3://bucket/prefix, and give the keys in the configuration or the environment',
    })
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{1,62}$/.test(authority)) {
    throw new PortError('config', `${url} names no bucket`, { hint: 'Write s3://bucket or s3://bucket/prefix' })
  }
  const segments = decoded(url, path)
    .split('/')
    .filter((segment) => segment !== '')
  // Proxies and clients resolve dots in paths: such an object would lie elsewhere for each of them.
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new PortError('config', `The prefix of ${url} has a segment of dots`)
  }
  return { bucket: authority, prefix: segments.map((segment) => `${segment}/`).join('') }
}

function decoded(url: string, path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new PortError('config', `The prefix of ${url} has a percent sign that encodes nothing`, {
      hint: 'Write %25 for a percent sign',
    })
  }
}

const segment = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/

/** Whether this is a key of the port. What else lies in a bucket, such as the folders that consoles make, is not listed. */
export function isKey(text: string): boolean {
  return text.length <= 512 && text.split('/').every((part) => segment.test(part))
}

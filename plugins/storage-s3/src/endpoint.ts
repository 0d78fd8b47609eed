import { PortError } from '@bkp/plugin-api'

export interface Endpoint {
  /** Undefined: AWS, by region. */
  readonly url: string | undefined
  readonly isEncrypted: boolean
  /** Undefined: what the SDK finds in environment and profile. */
  readonly region: string | undefined
  readonly isPathStyle: boolean
  /** AWS itself knows checksums and conditional writes. */
  readonly isAws: boolean
  /** Known to honour `If-None-Match: *`, in buckets with versions too. */
  readonly isConditional: boolean
}

interface EndpointOptions {
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
  readonly pathStyle?: boolean | undefined
}

const hostsWithRegion = [
  /^s3[.-]([a-z0-9-]+)\.(?:backblazeb2|wasabisys)\.com$/,
  /^s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/,
]

/** What the address of a service tells about it. @throws PortError `config` */
export function endpointOf({ endpoint, region, pathStyle }: EndpointOptions): Endpoint {
  if (endpoint === undefined) {
    return {
      url: undefined,
      isEncrypted: true,
      region,
      isPathStyle: pathStyle ?? false,
      isAws: true,
      isConditional: true,
    }
  }
  const url = parse(endpoint)
  const isAws = /\.amazonaws\.com(?:\.cn)?$/.test(url.hostname)
  const isCloudflare = url.hostname.endsWith('.r2.cloudflarestorage.com')
  const named = hostsWithRegion.map((pattern) => pattern.exec(url.hostname)?.[1]).find((found) => found !== undefined)
  return {
    url: url.href,
    isEncrypted: url.protocol === 'https:',
    // Servers without regions take any, and most of them the oldest one.
    region: region ?? named ?? (isCloudflare ? 'auto' : 'us-east-1'),
    isPathStyle: pathStyle ?? !isAws,
    isAws,
    isConditional: isAws || isCloudflare,
  }
}

function parse(endpoint: string): URL {
  const text = /^https?:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || /:\/\//.test(endpoint) !== /^https?:\/\//i.test(endpoint)) {
    throw new PortError('config', 'The endpoint is not an address', { hint: 'Write endpoint=https://s3.example.com' })
  }
  if (url.username !== '' || url.password !== '') throw new PortError('config', 'An endpoint cannot hold keys')
  return url
}

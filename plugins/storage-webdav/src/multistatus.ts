import { XMLParser } from 'fast-xml-parser'

/** What a server says of one resource. */
export interface Resource {
  /** Decoded, without a slash at the end; of another host or below another prefix where a proxy stands between. */
  readonly path: string
  readonly kind: 'object' | 'collection'
  /** Undefined where the server does not say it, as for collections. */
  readonly sizeBytes: number | undefined
  /** In milliseconds since 1970, by the server's clock. */
  readonly modifiedMs: number | undefined
}

/** The body of a PROPFIND that asks for no more than is read here. */
export const propertiesWanted = Buffer.from(
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>' +
    '<resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>',
)

// The library's own parser keeps only the first propstat of a resource, which may be the one of what was not found.
const parser = new XMLParser({
  removeNSPrefix: true,
  ignoreAttributes: true,
  parseTagValue: false,
  isArray: (name) => name === 'response' || name === 'propstat',
})

interface Properties {
  readonly resourcetype?: unknown
  readonly getcontentlength?: unknown
  readonly getlastmodified?: unknown
}

interface Response {
  readonly href?: unknown
  readonly status?: unknown
  readonly propstat?: readonly { readonly status?: unknown; readonly prop?: Properties | '' }[]
}

/**
 * The resources of an answer 207 (RFC 4918, 14.16), those left out that the server could not look at.
 * @returns undefined when it is cut off, or something else
 */
export function resourcesOf(xml: string): readonly Resource[] | undefined {
  if (!/<\/(?:[\w.-]+:)?multistatus\s*>\s*$/.test(xml)) {
    return /<(?:[\w.-]+:)?multistatus[^<>]*\/>\s*$/.test(xml) ? [] : undefined
  }
  const { multistatus } = parser.parse(xml) as { multistatus?: { response?: readonly Response[] } | '' }
  const responses = (multistatus !== '' && multistatus?.response) || []
  return responses.flatMap((response) => resourceOf(response) ?? [])
}

function resourceOf({ href, status, propstat }: Response): Resource | undefined {
  if (typeof href !== 'string' || (status !== undefined && !isFound(status))) return undefined
  const found = (propstat ?? []).filter((one) => one.status === undefined || isFound(one.status))
  if (found.length === 0) return undefined
  const properties: Properties = Object.assign({}, ...found.map(({ prop }) => (prop === '' ? {} : prop)))
  const { resourcetype, getcontentlength, getlastmodified } = properties
  const isCollection = typeof resourcetype === 'object' && resourcetype !== null && 'collection' in resourcetype
  const modifiedMs = typeof getlastmodified === 'string' ? Date.parse(getlastmodified) : Number.NaN
  return {
    path: pathOf(href.trim()),
    kind: isCollection ? 'collection' : 'object',
    sizeBytes:
      typeof getcontentlength === 'string' && /^\d+$/.test(getcontentlength) ? Number(getcontentlength) : undefined,
    modifiedMs: Number.isFinite(modifiedMs) ? modifiedMs : undefined,
  }
}

function isFound(status: unknown): boolean {
  return /^HTTP\/[\d.]+ 2\d\d\b/.test(String(status).trim())
}

/** The decoded path of an href, which is a URL or a path; without a slash at the end. */
export function pathOf(href: string): string {
  const path = href.replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, '').replace(/\/+$/, '')
  try {
    return decodeURIComponent(path)
  } catch (error) {
    // Bytes that are no UTF-8: not ours, and compared as they stand.
    if (error instanceof URIError) return path
    throw error
  }
}

/** A child of a collection. */
export interface Child extends Resource {
  readonly name: string
}

/**
 * The children among the resources that a PROPFIND of depth 1 gives, which are the collection itself and its children.
 * Goes by the paths that the server gives, since proxies make other prefixes of them.
 * @param path of the collection, as we know it, decoded, without a slash at the end
 */
export function childrenOf(path: string, resources: readonly Resource[]): readonly Child[] {
  const shortest = resources.reduce<Resource | undefined>(
    (one, other) => (one === undefined || other.path.length < one.path.length ? other : one),
    undefined,
  )
  const self = resources.find((resource) => resource.path === path) ?? shortest
  if (self === undefined) return []
  const start = `${self.path}/`
  return resources.flatMap((resource) => {
    const name = resource.path.startsWith(start) ? resource.path.slice(start.length) : ''
    return name === '' || name.includes('/') ? [] : [{ ...resource, name }]
  })
}
